#include "autograd/transforms.h"

#include <utility>

namespace gradcore {

static thread_local constinit uint32_t last = 0;

uint32_t last_differentiation() { return last; }

Differentiation enter_differentiation() {
  constexpr uint32_t kMany = 1u << 30;  // there is room for twice as many
  const uint32_t outer = creation_context.transform();
  if (outer == 0 && last > kMany) last = 0;
  const bool inference = inference_mode();
  creation_context.set_transform(++last);
  creation_context.set_inference(false);
  return {last, outer, std::exchange(transforms_left, false), inference};
}

void exit_differentiation(const Differentiation& d) {
  creation_context.set_transform(d.outer);
  creation_context.set_inference(d.inference);
  transforms_left = d.left;
}

void make_point(const Tensor& t, const Differentiation& d) {
  if (t->created_in.transform() >= d.outer) t->created_in.set_transform(d.number);
}

}  // namespace gradcore
