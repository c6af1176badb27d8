#include "tensor/loop.h"

#include <algorithm>

#include "tensor/meta.h"

namespace gradcore {

void store(Number& to, const Scalar& s, DType dtype, bool exact) {
  if (computed_in(dtype) == DType::Float32) {
    float f = s.to<float>();
    if (is_half(dtype) && !exact) f = dtype == DType::Float16 ? float(half(f)) : float(bfloat16(f));
    __builtin_memcpy(&to, &f, sizeof f);
    return;
  }
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T v = s.to<T>();
    __builtin_memcpy(&to, &v, sizeof v);
  });
}

void store_params(char* to, const Scalar* params, int count, DType dtype, bool exact) {
  const int64_t item = item_size(computed_in(dtype));
  for (int i = 0; i < count; ++i) {
    Number v;
    store(v, params[i], dtype, exact);
    __builtin_memcpy(to + i * item, &v, item);
  }
}

void FlatLoop::run_slice(int64_t begin, int64_t end) const {
  FlatLoop part = *this;
  part.own_addresses();
  for (int k = 0; k < operands_; ++k) part.args_.ptr[k] += begin * args_.inner[k];
  part.args_.n = end - begin;
  fn_(part.args_);
}

bool repeats_one_element(const TensorImpl& t) {
  return t.numel == 1 || (t.numel && std::ranges::all_of(t.strides, [](int64_t stride) { return stride == 0; }));
}

namespace {

// A loop whose operands need a plan.
class PlannedLoop final : public Instruction {
 public:
  static constexpr bool kOwnsAll = true;

  PlannedLoop(LoopFn fn, double cost, const Tensor& out, std::span<const LoopInput> in, const LoopParams& params)
      : fn_(fn), cost_(cost), params_(params) {
    PlanOperand operands[kMaxOperands];
    operands[0] = operand_of(out);
    items_[0] = static_cast<uint8_t>(operands[0].item);
    for (size_t i = 0; i < in.size(); ++i) {
      const size_t k = i + 1;
      if (in[i].tensor) {
        operands[k] = operand_of(*in[i].tensor);
      } else {
        operands[k] = {nullptr, nullptr, nullptr, 0};
        numbers_[k] = in[i].number;
        numbers_in_use_ |= 1u << k;
      }
      items_[k] = static_cast<uint8_t>(operands[k].item);
    }
    make_plan(plan_, out.shape(), operands, static_cast<int>(in.size()) + 1);
  }

  const char* name() const { return "planned_loop"; }
  bool fails() const { return false; }
  void run() {
    for (int k = 1; k < plan_.operands; ++k)
      if (numbers_in_use_ >> k & 1) plan_.ptr[k] = reinterpret_cast<char*>(&numbers_[k]);
    run_plan(plan_, fn_, params_.bytes, numbers_in_use_, cost_);
  }
  template <class F> void touches(F&& f) const {
    for (int k = 0; k < plan_.operands; ++k) {
      if (numbers_in_use_ >> k & 1) continue;
      int64_t reach = items_[k], bytes = items_[k];
      for (int d = 0; d < plan_.ndim; ++d) {
        reach += (plan_.size[d] - 1) * plan_.stride[d][k];
        if (plan_.stride[d][k]) bytes *= plan_.size[d];
      }
      f(Touch{reinterpret_cast<uintptr_t>(plan_.ptr[k]), reach, bytes, k == 0});
    }
  }

 private:
  static PlanOperand operand_of(const Tensor& t) {
    return {open(t.window()), &t.shape(), &t.strides(), item_size(t.dtype())};
  }

  LoopFn fn_;
  double cost_;
  unsigned numbers_in_use_ = 0;
  uint8_t items_[kMaxOperands];
  Number numbers_[kMaxOperands];
  LoopParams params_;
  Plan plan_;
};

// A result without elements, of which the door hears nothing, is meta where an input is.
void pass_on_meta(const Tensor& out, std::span<const LoopInput> in) {
  if (out->storage->bytes > 0 || !meta::used.load(std::memory_order_relaxed)) return;
  const auto on_meta = [](const LoopInput& i) { return i.tensor && is_meta(*i.tensor); };
  if (std::ranges::any_of(in, on_meta)) meta::add(out->storage->address(), 0);
}

// False where an operand has to be broadcast or lies in another order.
bool make_flat(FlatLoop& loop, LoopFn fn, double cost, const Tensor& out, std::span<const LoopInput> in) {
  const int64_t n = out.numel();
  if (!out.is_contiguous()) return false;
  loop.set_kernel(fn, static_cast<int>(in.size()) + 1, n, cost);
  loop.set(0, out.window(), item_size(out.dtype()));
  for (size_t i = 0; i < in.size(); ++i) {
    const int k = static_cast<int>(i) + 1;
    if (!in[i].tensor) {
      loop.set_number(k, 0, 0) = in[i].number;
      continue;
    }
    const Tensor& t = *in[i].tensor;
    // Of one element there is one, even where Python changed an operand meanwhile.
    const bool repeated = n != 1 && repeats_one_element(*t.impl());
    if (n == 1 ? t.numel() != 1 : !repeated && !(t.is_contiguous() && same_shape(t, out))) return false;
    loop.set(k, t.window(), repeated ? 0 : item_size(t.dtype()));
  }
  return true;
}

}  // namespace

void launch_loop(LoopFn fn, double cost, const Tensor& out, std::span<const LoopInput> in, const LoopParams& params) {
  if (out.numel() == 0) return pass_on_meta(out, in);
  FlatLoop flat;
  if (make_flat(flat, fn, cost, out, in)) {
    std::ranges::copy(params.bytes, flat.params());
    return launch(flat);
  }
  launch(PlannedLoop(fn, cost, out, in, params));
}

}  // namespace gradcore
