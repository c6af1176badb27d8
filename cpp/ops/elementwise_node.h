// The node of every elementwise op: its backward is a kernel made from the formula, or the formula on tensors where
// that is to be recorded itself. Included by the driver alone.
#pragma once
#include <cmath>

#include "autograd/forward.h"
#include "ops/derived_core.h"
#include "ops/elementwise_op.h"
#include "ops/formula_ops.h"
#include "ops/ops.h"
#include "tensor/meta.h"

namespace gradcore {

inline bool all_contiguous(std::span<const LoopInput> in) {
  for (const LoopInput& i : in)
    if (i.tensor && !i.tensor->is_contiguous()) return false;
  return true;
}
// Whether no input has a memory order other than the usual one.
inline bool all_in_order(std::span<const LoopInput> in) {
  for (const LoopInput& i : in)
    if (i.tensor && !i.tensor->is_contiguous() && !repeats_one_element(*i.tensor->impl())) return false;
  return true;
}

// A gradient in the memory order that its inputs share.
inline Tensor result_like(std::span<const LoopInput> in) {
  const Tensor& g = *in[0].tensor;
  if (all_in_order(in)) return empty(g.shape(), g.dtype());
  const Tensor* tensors[5];
  int count = 0;
  for (const LoopInput& i : in)
    if (i.tensor) tensors[count++] = i.tensor;
  return empty_strided(g.shape(), result_strides(g.shape(), tensors, count), g.dtype());
}

// Whether the only element of an operand counts as a number, which torch does not round to a half beside one.
inline bool stays_exact(const ElementwiseOp& op, int k, const Tensor& t, DType compute) {
  return op.info->exact_numbers && op.arity == 2 && k == 1 && is_half(compute) && t.dim() == 0 && !is_meta(t);
}

template <int N> class ElementwiseNode final : public Node {
 public:
  // An op that writes over its first operand saves a copy of it.
  ElementwiseNode(const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params, DType compute,
                  bool inplace)
      : op_(op), compute_(compute) {
    bool all_needed = true;
    for (int k = 0; k < N; ++k) {
      if (!in[k].is_tensor()) {
        scalars_[k] = in[k].scalar;
        number_operands_ |= 1u << k;
        add_edge({});
        continue;
      }
      add_edge(op.differentiable(k) ? input_edge(*in[k].tensor) : Edge{});
      if (needs(k))
        uses_ |= op.uses[k];
      else
        all_needed = false;
    }
    if (!all_needed) uses_ |= absent() ? used_anyway(op.uses, absent()) : op.used_anyway;
    for (int k = 0; k < N; ++k) {
      if (!in[k].is_tensor() || !(uses_ & formulas::uses_operand(k))) continue;
      if (inplace && k == 0)
        saved_[k] = Saved(clone(*in[k].tensor));
      else
        saved_[k] = Saved(*in[k].tensor);
    }
    for (int i = 0; i < op.params; ++i) params_[i] = params[i];
    if (saved_hooks) [[unlikely]]
      for (Saved& s : saved_) s.pack_unchanged(*saved_hooks, this);
    number();
  }

  // Notes how the operands were broadcast and converted on the way to `out`.
  void set_output(const Tensor& out, std::span<const Operand> in) {
    for (int k = 0; k < N; ++k) {
      if (!needs(k)) continue;
      dtype_[k] = in[k].tensor->dtype();
      reduce_[k] = in[k].tensor->shape() != out.shape();
      if (reduce_[k]) shape_[k] = in[k].tensor->shape();
    }
    if (!(uses_ & formulas::kUsesOutput)) return;
    output_ = Saved::output(out);
    if (saved_hooks) [[unlikely]]
      output_.pack_unchanged(*saved_hooks, this);
  }

  const char* name() const override {
    if (op_.info->node_of_number && (number_operands_ & 1)) return op_.info->node_of_number;
    const bool of_tensor = op_.info->node_of_tensor && !((number_operands_ >> (N - 1)) & 1);
    return of_tensor ? op_.info->node_of_tensor : op_.info->node;
  }
  unsigned hidden_edges() const override { return absent() | (op_.info->mask < 0 ? 0u : 1u << op_.info->mask); }

  SavedFields saved_fields() override {
    SavedFields fields;
    unsigned used = 0;
    for (int k = 0; k < N; ++k)
      if (!((absent() >> k) & 1)) used |= op_.uses[k];
    for (int k = 0; k < N; ++k) {
      const char* name = op_.info->operands[k];
      if (!name || !(used & formulas::uses_operand(k))) continue;
      if (!((number_operands_ >> k) & 1))
        fields.push_back({name, &saved_[k]});
      else if (op_.info->bare_numbers)
        fields.push_back({name, scalars_[k]});
      else
        fields.push_back({name, released_ ? Tensor() : full(Dims{}, scalars_[k], scalars_[k].dtype(DType::Float64))});
    }
    if (used & formulas::kUsesOutput) fields.push_back({"result", &output_});
    for (int i = 0; i < kMaxParams; ++i)
      if (const char* name = op_.info->parameters[i]) fields.push_back({name, parameter(i)});
    return fields;
  }

  void release_saved() override {
    constexpr unsigned kSaved =
        formulas::uses_operand(0) | formulas::uses_operand(1) | formulas::uses_operand(2) | formulas::kUsesOutput;
    if (!(uses_ & kSaved)) return;  // nothing was saved: a second backward is fine
    released_ = true;               // first: what goes may run Python code
    for (Saved& s : saved_) s.reset();
    output_.reset();
  }

  void apply(std::span<Tensor> grads, std::span<Tensor> out) override {
    if (released_) fail_released(*this);
    if (!grads[0]) return;
    Tensor operands[N];
    for (int k = 0; k < N; ++k) operands[k] = saved_[k].unpack(this);
    const Tensor y = output_.unpack(this);
    bool by_ops = op_.info->one_by_one || modes.tracking() || any_batched(grads[0], y);
    for (const Tensor& t : operands) by_ops |= any_batched(t);
    int last = N - 1;
    while (last > 0 && !needs(last)) --last;
    for (int k = 0; k <= last; ++k) {
      if (!needs(k)) continue;
      Tensor r;
      if (!(op_.uses[k] & formulas::kChanged))
        r = k == last ? std::move(grads[0]) : grads[0];
      else if (by_ops)
        r = recorded(k, grads[0], operands, y);
      else
        r = computed(k, grads[0], operands, y, k == last);
      if (reduce_[k]) r = sum_to(r, shape_[k]);
      if (r.dtype() != dtype_[k]) r = cast(r, dtype_[k]);
      out[k] = std::move(r);
    }
  }

  // The derivative of an elementwise op is its own transpose.
  std::vector<Tensor> jvp(std::span<const Tensor> tangents, std::span<const Tensor> outputs) override {
    const Dims& shape = outputs[0].shape();
    Tensor operands[N], sum;
    for (int k = 0; k < N; ++k) operands[k] = saved_[k].unpack(this);
    const Tensor y = output_.unpack(this);
    for (int k = 0; k < N; ++k) {
      if (!tangents[k]) continue;
      const Tensor v = tangents[k].shape() == shape ? tangents[k] : expand(tangents[k], shape);
      const Tensor r = cast(op_.uses[k] & formulas::kChanged ? recorded(k, v, operands, y) : v, outputs[0].dtype());
      sum = sum ? add(sum, r) : r;
    }
    return {sum};
  }

 private:
  // Bit k: operand k is a number of an op that takes numbers for no inputs.
  unsigned absent() const { return op_.info->bare_numbers ? number_operands_ : 0u; }
  decltype(SavedField::value) parameter(int i) const {
    if (i >= op_.params) return fixed();
    if (op_.info->nan_is_none && std::isnan(params_[i].to_double())) return std::monostate();
    return params_[i];
  }
  Scalar fixed() const {
    const double v = op_.info->fixed;
    return v == std::floor(v) ? Scalar(static_cast<int64_t>(v)) : Scalar(v);
  }
  // An op in place gives its result the dtype of the tensor that it writes to.
  Tensor in_computed_type(const Tensor& y) const { return y.dtype() == compute_ ? y : cast(y, compute_); }
  Tensor recorded(int k, const Tensor& g, const Tensor* operands, const Tensor& y) {
    Sym v[5], p[kMaxParams];
    v[0] = g.dtype() == compute_ ? g : cast(g, compute_);
    for (int i = 0; i < N; ++i) v[1 + i] = operands[i] ? Sym(operands[i]) : Sym(scalars_[i]);
    if (y) v[4] = in_computed_type(y);
    for (int i = 0; i < op_.params; ++i) p[i] = Sym(params_[i]);
    const Sym r = op_.vjp[k](v, p);
    if (!r.is_tensor()) return full_like(g, r.s, compute_);  // a constant derivative
    return r.t.shape() == g.shape() ? r.t : expand(r.t, g.shape());
  }

  Tensor computed(int k, Tensor& g, const Tensor* operands, const Tensor& y, bool last) {
    const Tensor grad = g.dtype() == compute_ ? g : cast(g, compute_);
    LoopInput in[5];
    in[0].tensor = &grad;
    int count = 1;
    Tensor converted[N];
    for (int i = 0; i < N; ++i) {
      if (!(op_.uses[k] & formulas::uses_operand(i))) continue;
      LoopInput& o = in[count++];
      const DType type = i == op_.info->mask ? DType::Bool : compute_;
      if (!operands[i]) {
        store(o.number, scalars_[i], type, op_.info->exact_numbers);
        continue;
      }
      if (operands[i].dtype() == type) {
        converted[i] = operands[i];
      } else if (stays_exact(op_, i, operands[i], type)) {
        store(o.number, item(operands[i]), type, true);
        continue;
      } else {
        converted[i] = cast(operands[i], type);
      }
      o.tensor = &converted[i];
    }
    const Tensor result = y ? in_computed_type(y) : y;
    if (op_.uses[k] & formulas::kUsesOutput) in[count++].tensor = &result;
    // The gradient's own memory serves when nobody needs it any more.
    const bool reuse = last && g->use_count() == 2 && g->storage->use_count() == 1 && !g->pyobject &&
                       g.dtype() == compute_ && g.is_contiguous() && grad.is_same(g) &&
                       all_contiguous({in, static_cast<size_t>(count)});
    const Tensor out = reuse ? grad : result_like({in, static_cast<size_t>(count)});
    launch_loop(op_.kernels().vjp[k][compute_], op_.info->cost, out, {in, static_cast<size_t>(count)},
                LoopParams(params_, op_.params, compute_, !op_.info->rounded_parameters));
    return out;
  }

  const ElementwiseOp& op_;
  unsigned uses_ = 0;
  unsigned number_operands_ = 0;  // bit k: operand k is a number
  DType compute_;
  bool released_ = false;
  DType dtype_[N]{};
  bool reduce_[N]{};
  Scalar scalars_[N];
  Scalar params_[kMaxParams];
  Saved saved_[N];
  Saved output_;
  Dims shape_[N];
};

}  // namespace gradcore
