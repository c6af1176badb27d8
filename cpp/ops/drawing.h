// What ops that draw random numbers share. Start at draw().
#pragma once
#include "core/generator.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/batch.h"
#include "tensor/door.h"

namespace gradcore {

inline void need_floating_dtype(const Tensor& t, const char* name) {
  if (!is_floating(t.dtype()))
    fail(ErrorKind::NotImplemented, "\"", name, "\" not implemented for '", scalar_type_name(t.dtype()), "'");
}
// torch's kernels refuse, and for a tensor without elements none is called.
inline void need_floating(const Tensor& t, const char* name) {
  if (t.numel()) need_floating_dtype(t, name);
}

// What was there has no influence on the numbers drawn.
struct DrawVjp {
  const char* node;
  const char* name() const { return node; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = zeros_like(g[0]); }
};

// Where numbers for `t` are drawn: in place where it is dense (in memory order, as torch does), else into a buffer.
// Within vmap the numbers differ along some levels, which `t` must have, and are the same along others.
inline Tensor target_for(const Tensor& t) {
  const Levels levels = levels_of_random_numbers();
  if (levels.none() && !t->batch) return is_dense(t) ? t : empty(t.shape(), t.dtype());
  for (int64_t id : levels.ids)
    check(levels_of({&t}).find(id) >= 0,
          "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear "
          "like same randomness. If this is necessary for your usage, please file an issue.");
  return physical(empty_batched(levels, t.shape(), t.dtype()));
}
inline Tensor hidden_again(const Tensor& numbers) { return hide(numbers, levels_of_random_numbers()); }

// Where the numbers of one sample are drawn for all, the tensors that they depend on may not differ between samples.
inline void check_same_randomness(const Tensor& t, const Levels& levels) {
  for (int64_t id : levels_of({&t}).ids)
    check(levels.find(id) >= 0, "Vmap does not currently support same randomness with a batched tensor input");
}

// A fresh tensor for numbers that may depend on `t`.
inline Tensor empty_for_draws(const Tensor& t) {
  const Levels levels = levels_of_random_numbers();
  check_same_randomness(t, levels);
  return levels.none() ? empty_like(t, t.dtype()) : empty_batched(levels, t.shape(), t.dtype());
}

// Fills `t` by fill(generator, contiguous tensor to write to).
template <class F> void draw(const Tensor& t, Generator* g, const char* node, F&& fill) {
  const auto history = [&]() -> Ref<Node> {
    if (!is_floating(t.dtype()) || !should_record(t)) return {};
    return make_node({&t}, DrawVjp{node});
  };
  const auto write = [&](const Tensor& to) {
    const NoRecordGuard off;
    const Tensor target = target_for(to);
    fill(g ? g : &default_generator(), target);
    if (!target.is_same(to)) copy_raw(to, hidden_again(target));
  };
  write_in_place(t, [&] { check_inplace(t, needs_history(t)); }, history, write);
}

}  // namespace gradcore
