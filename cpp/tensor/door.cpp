// Read Note [The door] in door.h.
#include "tensor/door.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "tensor/meta.h"

namespace gradcore {

void launch_watched(const AnyInstruction& instruction) {
  if (meta::used.load(std::memory_order_relaxed) && meta::skips(instruction)) return;
  // The tenant may have left since.
  if (Tenant* t = the_tenant.load())
    t->launch(instruction);
  else
    instruction.run();
}

void tell_of_look(const Tensor& t) {
  check_has_values(t);
  if (Tenant* tenant = the_tenant.load()) tenant->look(t);
}

Touch Instruction::touch_of(Window w, bool written) {
  const int64_t item = item_size(w.dtype());
  int64_t reach = 1, elements = 1;
  for (int i = 0; i < w.shape().size(); ++i) {
    const int64_t size = w.shape()[i];
    // Such a window may begin where its memory ends: it lies where its storage does. A larger storage is not touched.
    if (size == 0) return {written && w.storage()->bytes > 0 ? 0 : w.storage()->address(), 0, 0, written};
    reach += (size - 1) * w.strides()[i];
    if (w.strides()[i] != 0) elements *= size;
  }
  return {reinterpret_cast<uintptr_t>(open(w)), reach * item, elements * item, written};
}

// Calls f(begin, bytes) on spans of `bytes`: in parallel where there are many.
template <class F> static void for_each_span(int64_t bytes, int64_t span, int64_t least, F&& f) {
  if (bytes < least) return f(0, bytes);
  parallel_blocks((bytes + span - 1) / span, [&](int64_t b) { f(b * span, std::min(span, bytes - b * span)); });
}

void CopyBytes::run() const {
  for_each_span(bytes_, 256 << 10, 1 << 20,
                [&](int64_t begin, int64_t n) { std::memcpy(to_ + begin, from_ + begin, static_cast<size_t>(n)); });
}

void ZeroBytes::run() const {
  for_each_span(bytes_, 1 << 20, (2 << 20) + 1,
                [&](int64_t begin, int64_t n) { std::memset(to_ + begin, 0, static_cast<size_t>(n)); });
}

}  // namespace gradcore
