#include "autograd/transforms.h"

#include <utility>

namespace gradcore {

Outside enter_differentiation() {
  static thread_local constinit uint32_t last = 0;
  constexpr uint32_t kMany = 1u << 30;  // there is room for twice as many
  const Outside outside{surroundings.transform(), std::exchange(transforms_left, false)};
  if (outside.transform == 0 && last > kMany) last = 0;
  surroundings.set_transform(++last);
  return outside;
}

void exit_differentiation(const Outside& outside) {
  surroundings.set_transform(outside.transform);
  transforms_left = outside.left;
}

void make_point(const Tensor& t, const Outside& outside) {
  if (t->made_in.transform() >= outside.transform) t->made_in.set_transform(surroundings.transform());
}

}  // namespace gradcore
