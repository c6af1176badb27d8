// The driver of elementwise ops: types, shapes, the kernel, the node. Start at elementwise().
#include "ops/elementwise.h"

#include <algorithm>
#include <cmath>

#include "autograd/views.h"
#include "formulas/all.h"
#include "formulas/traits.h"
#include "ops/formula_functions.h"
#include "ops/formula_ops.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/batch.h"
#include "tensor/plan.h"

namespace gradcore {

// ---- records made from formulas

namespace {

template <class Op, int K> Sym recorded_vjp(const Sym* v, const Sym* params) {
  return formulas::vjp_with<Op, K>(v[0], v[1], v[2], v[3], v[4], params);
}

template <class Op, int K> constexpr auto recorded_vjp_or_null() -> Sym (*)(const Sym*, const Sym*) {
  if constexpr (formulas::has_vjp<Op, K>())
    return recorded_vjp<Op, K>;
  else
    return nullptr;
}

template <class Op> constexpr ElementwiseOp make_op() {
  return {&Op::info,
          Op::kArity,
          formulas::params_of<Op>,
          formulas::place_of<Op>.group,
          formulas::place_of<Op>.index,
          {formulas::vjp_uses<Op, 0>(), formulas::vjp_uses<Op, 1>(), formulas::vjp_uses<Op, 2>()},
          {recorded_vjp_or_null<Op, 0>(), recorded_vjp_or_null<Op, 1>(), recorded_vjp_or_null<Op, 2>()}};
}

template <class Op> constexpr ElementwiseOp op_of = make_op<Op>();

// ---- the node

bool all_contiguous(std::span<const LoopInput> in) {
  for (const LoopInput& i : in)
    if (i.tensor && !i.tensor->is_contiguous()) return false;
  return true;
}
// Whether no input has a memory order other than the usual one.
bool all_in_order(std::span<const LoopInput> in) {
  for (const LoopInput& i : in)
    if (i.tensor && !i.tensor->is_contiguous() && !repeats_one_element(*i.tensor->impl())) return false;
  return true;
}

// A gradient in the memory order that its inputs share.
Tensor result_like(std::span<const LoopInput> in) {
  const Tensor& g = *in[0].tensor;
  if (all_in_order(in)) return empty(g.shape(), g.dtype());
  const Tensor* tensors[5];
  int count = 0;
  for (const LoopInput& i : in)
    if (i.tensor) tensors[count++] = i.tensor;
  return empty_strided(g.shape(), result_strides(g.shape(), tensors, count), g.dtype());
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
    if (!all_needed) uses_ |= used_anyway(op, in);
    for (int k = 0; k < N; ++k) {
      if (!in[k].is_tensor() || !(uses_ & formulas::uses_operand(k))) continue;
      if (inplace && k == 0)
        saved_[k] = Saved(clone(*in[k].tensor));
      else
        saved_[k] = Saved(*in[k].tensor);
    }
    for (int i = 0; i < op.params; ++i) params_[i] = params[i];
    number();
  }

  // Notes how the operands were broadcast and converted on the way to `out`.
  void set_output(const Tensor& out, std::span<const Operand> in) {
    if (uses_ & formulas::kUsesOutput) output_ = Saved::output(out);
    for (int k = 0; k < N; ++k) {
      if (!needs(k)) continue;
      dtype_[k] = in[k].tensor->dtype();
      reduce_[k] = in[k].tensor->shape() != out.shape();
      if (reduce_[k]) shape_[k] = in[k].tensor->shape();
    }
  }

  const char* name() const override {
    const bool of_tensor = op_.info->node_of_tensor && !((number_operands_ >> (N - 1)) & 1);
    return of_tensor ? op_.info->node_of_tensor : op_.info->node;
  }
  unsigned hidden_edges() const override {
    return (op_.info->bare_numbers ? number_operands_ : 0u) | (op_.info->mask < 0 ? 0u : 1u << op_.info->mask);
  }

  SavedFields saved_fields() override {
    SavedFields fields;
    unsigned used = 0;
    for (int k = 0; k < N; ++k) {
      const bool no_input = op_.info->bare_numbers && ((number_operands_ >> k) & 1);
      if (!no_input) used |= op_.uses[k];
    }
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
    for (int i = 0; i < 2; ++i)
      if (const char* name = op_.info->parameters[i]) fields.push_back({name, i < op_.params ? params_[i] : fixed()});
    return fields;
  }

  void release_saved() override {
    constexpr unsigned kSaved =
        formulas::uses_operand(0) | formulas::uses_operand(1) | formulas::uses_operand(2) | formulas::kUsesOutput;
    if (!(uses_ & kSaved)) return;  // nothing was saved: a second backward is fine
    for (Saved& s : saved_) s.reset();
    output_.reset();
    released_ = true;
  }

  void apply(std::span<Tensor> grads, std::span<Tensor> out) override {
    if (released_) fail_released(*this);
    if (!grads[0]) return;
    Tensor operands[N];
    for (int k = 0; k < N; ++k) operands[k] = saved_[k].unpack(this);
    const Tensor y = output_.unpack(this);
    bool by_ops = modes.tracking() || any_batched(grads[0], y);
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
  // What torch's node saves even where no formula will be asked for it, so that a second backward and a write to it are
  // refused there as well: the result, what several formulas read, and all that an only one reads.
  static unsigned used_anyway(const ElementwiseOp& op, std::span<const Operand> in) {
    unsigned once = 0, twice = 0;
    int formulas = 0;
    for (int k = 0; k < N; ++k) {
      if (!op.differentiable(k) || (op.info->bare_numbers && !in[k].is_tensor())) continue;
      ++formulas;
      twice |= once & op.uses[k];
      once |= op.uses[k];
    }
    return formulas == 1 ? once : twice | (once & formulas::kUsesOutput);
  }
  Scalar fixed() const {
    const double v = op_.info->fixed;
    return v == std::floor(v) ? Scalar(static_cast<int64_t>(v)) : Scalar(v);
  }
  Tensor recorded(int k, const Tensor& g, const Tensor* operands, const Tensor& y) {
    Sym v[5], p[2];
    v[0] = g.dtype() == compute_ ? g : cast(g, compute_);
    for (int i = 0; i < N; ++i) v[1 + i] = operands[i] ? Sym(operands[i]) : Sym(scalars_[i]);
    v[4] = y;
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
        store(o.number, scalars_[i], type);
        continue;
      }
      converted[i] = operands[i].dtype() == type ? operands[i] : cast(operands[i], type);
      o.tensor = &converted[i];
    }
    if (op_.uses[k] & formulas::kUsesOutput) in[count++].tensor = &y;
    // The gradient's own memory serves when nobody needs it any more.
    const bool reuse = last && g->use_count() == 2 && g->storage->use_count() == 1 && !g->pyobject &&
                       g.dtype() == compute_ && g.is_contiguous() && grad.is_same(g) &&
                       all_contiguous({in, static_cast<size_t>(count)});
    const Tensor out = reuse ? grad : result_like({in, static_cast<size_t>(count)});
    launch_loop(op_.kernels().vjp[k][compute_], op_.info->cost, out, {in, static_cast<size_t>(count)},
                LoopParams(params_, op_.params, compute_));
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
  Scalar params_[2];
  Saved saved_[N];
  Saved output_;
  Dims shape_[N];
};

// ---- types and shapes

struct TypeState {
  bool any = false;
  DType type = DType::Bool;
  void add(DType t) {
    type = any ? promote_types(type, t) : t;
    any = true;
  }
};

DType combine(const TypeState& dims, const TypeState& zeros, const TypeState& numbers) {
  const auto join = [](const TypeState& high, const TypeState& low) {
    TypeState s = high;
    if (!low.any) return s;
    if (!high.any) return low;
    if (category(low.type) > category(high.type)) s.type = promote_types(high.type, low.type);
    return s;
  };
  return join(join(dims, zeros), numbers).type;
}

// The type in which an op computes, and the one of its result.
struct Types {
  DType compute, result;
};

Types types_for(const ElementwiseOp& op, DType t) {
  if (op.info->result == ResultType::Float && !is_floating(t)) t = default_dtype();
  return {t, op.info->result == ResultType::Bool ? DType::Bool : t};
}

Types types_of(const ElementwiseOp& op, std::span<const Operand> in) {
  DType t;
  if (op.info->mask < 0) {
    t = result_type(in);
  } else {
    const Operand values[2] = {in[op.info->mask == 0 ? 1 : 0], in[2]};
    t = result_type(values);
  }
  return types_for(op, t);
}

Types types_of(const ElementwiseCall& c) {
  return c.compute ? types_for(*c.op, *c.compute) : types_of(*c.op, c.operands());
}

LoopFn forward_loop(const ElementwiseOp& op, DType compute) {
  const LoopFn loop = op.kernels().fwd[compute];
  if (!loop && compute == DType::Bool && op.info->no_bool) fail(op.info->no_bool);
  if (!loop) [[unlikely]]
    fail(ErrorKind::NotImplemented, "\"", op.info->name, "\" not implemented for '", scalar_type_name(compute), "'");
  return loop;
}

// The operands as the loop takes them: in the compute type, numbers converted.
struct Prepared {
  Tensor converted[3];
  LoopInput in[3];
  Prepared(const ElementwiseOp& op, std::span<const Operand> operands, DType compute) {
    for (size_t k = 0; k < operands.size(); ++k) {
      const DType type = static_cast<int>(k) == op.info->mask ? DType::Bool : compute;
      if (!operands[k].is_tensor()) {
        store(in[k].number, operands[k].scalar, type);
        continue;
      }
      const Tensor& t = *operands[k].tensor;
      if (t.dtype() == type) {
        in[k].tensor = &t;
        continue;
      }
      converted[k] = empty_strided(t.shape(), is_dense(t) ? t.strides() : contiguous_strides(t.shape()), type);
      copy_raw(converted[k], t);
      in[k].tensor = &converted[k];
    }
  }
};

Dims shape_of(std::span<const Operand> in, bool& same) {
  const Tensor* first = nullptr;
  same = true;
  Dims shape;
  for (const Operand& o : in) {
    if (!o.is_tensor()) continue;
    if (!first) {
      first = o.tensor;
      shape = o.tensor->shape();
    } else if (o.tensor->shape() != shape) {
      shape = broadcast_shapes(shape, o.tensor->shape());
      same = false;
    }
  }
  return shape;
}

// Operands as they lie beneath the batch dims.
class OperandsBeneath {
 public:
  OperandsBeneath(std::span<const Operand> in, const Levels& levels, int dims) : count_(in.size()) {
    for (size_t k = 0; k < count_; ++k) {
      if (in[k].is_tensor()) tensors_[k] = physical(*in[k].tensor, levels, dims);
      operands_[k] = in[k].is_tensor() ? Operand(tensors_[k]) : in[k];
    }
  }
  operator std::span<const Operand>() const { return {operands_, count_}; }

 private:
  Tensor tensors_[3];
  Operand operands_[3];
  size_t count_;
};

Levels levels_of(std::span<const Operand> in) {
  Levels all;
  for (const Operand& o : in)
    if (o.is_tensor()) all.add(*o.tensor);
  return all;
}

bool any_batched_operand(std::span<const Operand> in) {
  for (const Operand& o : in)
    if (o.is_tensor() && (*o.tensor)->batch) return true;
  return false;
}

Tensor fresh_result(const ElementwiseOp& op, std::span<const Operand> in, DType dtype) {
  bool same;
  const Dims shape = shape_of(in, same);
  if (any_batched_operand(in)) [[unlikely]] {
    const Levels levels = levels_of(in);
    return hide(fresh_result(op, OperandsBeneath(in, levels, shape.size()), dtype), levels);
  }
  if (op.info->dense) return empty(shape, dtype);
  const Tensor* tensors[3];
  int count = 0;
  bool contiguous = true;
  for (const Operand& o : in)
    if (o.is_tensor()) {
      tensors[count++] = o.tensor;
      contiguous &= o.tensor->is_contiguous();
    }
  if (contiguous && same) return empty(shape, dtype);
  return empty_strided(shape, result_strides(shape, tensors, count), dtype);
}

// Calls f.template operator()<N>() with the number of operands.
template <class F> decltype(auto) with_arity(size_t n, F&& f) {
  switch (n) {
    case 1: return f.template operator()<1>();
    case 2: return f.template operator()<2>();
    default: return f.template operator()<3>();
  }
}

// A node for an op whose result is floating; its class by the number of operands.
template <class F>
Ref<Node> with_node(const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params, DType compute,
                    bool inplace, F&& then) {
  return with_arity(in.size(), [&]<int N>() -> Ref<Node> {
    auto node = Ref<ElementwiseNode<N>>::adopt(new ElementwiseNode<N>(op, in, params, compute, inplace));
    then(*node);
    return node;
  });
}

// Integer division has no value for a zero divisor.
void refuse_zero_divisor(const ElementwiseOp& op, DType compute, const LoopInput& divisor) {
  if (!is_integral(compute)) return;
  const bool divides = std::string_view(op.info->name) == "floor_divide" ||
                       std::string_view(op.info->name) == "remainder" || std::string_view(op.info->name) == "fmod" ||
                       std::string_view(op.info->name) == "div";
  if (!divides) return;
  const Tensor t = divisor.tensor ? *divisor.tensor : Tensor();
  bool zero = false;
  if (t) {
    const NoRecordGuard off;
    const Tensor nonzero = all(t, {}, false);
    zero = !*nonzero.host<bool>();
  } else {
    int64_t v = 0;
    __builtin_memcpy(&v, &divisor.number, item_size(compute));
    zero = v == 0;
  }
  check(!zero, "ZeroDivisionError");
}

void compute_into(const ElementwiseOp& op, const Tensor& out, std::span<const Operand> in, const Scalar* params,
                  DType compute) {
  if (out->batch || any_batched_operand(in)) [[unlikely]] {
    Levels levels = levels_of(in);
    levels.add(out);
    const NoRecordGuard off;
    return compute_into(op, physical(out, levels), OperandsBeneath(in, levels, out.dim()), params, compute);
  }
  const LoopFn loop = forward_loop(op, compute);
  Prepared prepared(op, in, compute);
  if (op.arity == 2) refuse_zero_divisor(op, compute, prepared.in[1]);
  launch_loop(loop, op.info->cost, out, {prepared.in, in.size()}, LoopParams(params, op.params, compute));
}

void refuse_partial_overlaps(const Tensor& out, std::span<const Operand> in) {
  for (const Operand& o : in)
    if (o.is_tensor()) refuse_partial_overlap(out, *o.tensor);
}

}  // namespace

DType result_type(std::span<const Operand> in) {
  const auto same_type = [&]() -> bool {
    for (size_t k = 1; k < in.size(); ++k)
      if (!in[k].is_tensor() || in[k].tensor->dtype() != in[0].tensor->dtype()) return false;
    return true;
  };
  if (in[0].is_tensor() && same_type()) return in[0].tensor->dtype();
  TypeState dims, zeros, numbers;
  for (const Operand& o : in) {
    if (!o.is_tensor())
      numbers.add(o.scalar.dtype(default_dtype()));
    else
      (o.tensor->dim() ? dims : zeros).add(o.tensor->dtype());
  }
  return combine(dims, zeros, numbers);
}

namespace {

// torch records ops that have no derivative, so that asking for it is an error and not a silent zero.
struct NoDerivative {
  static constexpr const char* kName = "torch::autograd::NotImplemented";
  const char* op;
  const char* suffix = "";
  void vjp(Node&, std::span<Tensor>, std::span<Tensor>) {
    fail("derivative for aten::", op, suffix, " is not implemented");
  }
};
// As torch's, it has an edge for each operand that requires grad, and no others.
Ref<Node> node_without_derivative(std::span<const Operand> in, NoDerivative none) {
  const Tensor* inputs[3];
  size_t count = 0;
  for (const Operand& o : in)
    if (o.is_tensor() && should_record(*o.tensor)) inputs[count++] = o.tensor;
  if (!count) return {};
  return make_node(std::span<const Tensor* const>(inputs, count), std::move(none));
}
void record_no_derivative(const ElementwiseOp& op, const Tensor& out, std::span<const Operand> in) {
  if (op.info->node || !is_floating(out.dtype()) || !modes.tracking()) return;
  if (Ref<Node> node = node_without_derivative(in, {op.info->name})) record_output(out, std::move(node));
}

// Written in place, comparisons too are recorded, with a gradient of zero.
struct ComparisonVjp {
  const char* node;
  bool of_tensor;
  Dims other;
  const char* name() const { return node; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = zeros_like(g[0]);
    if (of_tensor && self.needs(1)) out[1] = zeros(other, g[0].dtype());
  }
};
bool recorded_in_place_only(const ElementwiseOp& op) {
  return !op.info->node && (op.info->result != ResultType::Bool || op.info->node_in_place[0]);
}
Ref<Node> node_in_place(const ElementwiseOp& op, const Tensor& self, const Operand& other) {
  const bool of_tensor = other.is_tensor();
  if (!recorded_in_place_only(op) || !is_floating(self.dtype())) return {};
  if (!(of_tensor ? should_record(self, *other.tensor) : should_record(self))) return {};
  if (op.info->result != ResultType::Bool) {
    const Operand in[] = {self, other};
    return node_without_derivative(in, {op.info->name, "_"});
  }
  ComparisonVjp vjp{op.info->node_in_place[of_tensor], of_tensor, of_tensor ? other.tensor->shape() : Dims()};
  return of_tensor ? make_node({&self, other.tensor}, std::move(vjp)) : make_node({&self}, std::move(vjp));
}

// From here to dense_result() everything is on the path of every op: the number of operands is known to the compiler.
template <int N> [[gnu::always_inline]] inline bool is_recorded(const ElementwiseOp& op, const Operand* in) {
  if (!modes.tracking() || !op.info->node) return false;
  for (int k = 0; k < N; ++k)
    if (in[k].is_tensor() && op.differentiable(k) && should_record(*in[k].tensor)) return true;
  return false;
}

// The operand that the result is like: the first with dims, else the first tensor; null for numbers alone.
template <int N> [[gnu::always_inline]] inline const Tensor* leader(const Operand* in) {
  const Tensor* lead = nullptr;
  for (int k = 0; k < N; ++k)
    if (in[k].is_tensor() && (!lead || (lead->dim() == 0 && in[k].tensor->dim() != 0))) lead = in[k].tensor;
  return lead;
}

template <int N>
[[gnu::always_inline]] inline bool fill_dense_loop(DenseLoop& to, const ElementwiseOp& op, const Operand* in,
                                                   const Scalar* params) {
  const Tensor* lead = leader<N>(in);
  if (!lead || op.info->mask >= 0) return false;
  const DType type = lead->dtype();
  if (is_integral(type)) return false;
  if (op.info->result == ResultType::Float && !is_floating(type)) return false;
  const LoopFn kernel = op.kernels().fwd[type];
  if (!kernel || lead->numel() == 0) return false;
  to.loop.set_kernel(kernel, N + 1, lead->numel(), op.info->cost);
  const int64_t item = item_size(type), once = lead->numel() == 1 ? item : 0;  // the step of what is one element
  for (int k = 0; k < N; ++k) {
    if (in[k].is_tensor()) {
      const Tensor& t = *in[k].tensor;
      if (t.dtype() != type) return false;
      const bool spread = t.dim() == 0 && lead->dim() != 0;
      if (!spread && t.shape() != lead->shape()) return false;
      const bool repeats = !t.is_contiguous();
      if (repeats && (t->batch || !repeats_one_element(*t.impl()))) return false;
      to.loop.set(k + 1, t.window(), spread || repeats ? once : item);
    } else {
      if (in[k].scalar.kind() > category(type)) return false;
      store(to.loop.set_number(k + 1, once, item), in[k].scalar, type);
    }
  }
  if (op.params) store_params(to.loop.params(), params, op.params, type);
  to.lead = lead;
  to.result = op.info->result == ResultType::Bool ? DType::Bool : type;
  return true;
}

template <int N>
[[gnu::always_inline]] inline Tensor dense_result(DenseLoop& d, const ElementwiseOp& op, const Operand* in,
                                                  const Scalar* params, bool recorded) {
  Tensor out = d.lead->is_contiguous() ? empty_as(*d.lead, d.result) : empty(d.lead->shape(), d.result);
  d.set_output(out);
  launch(d.loop);
  const std::span<const Operand> all(in, N);
  if (recorded) {
    auto node = Ref<ElementwiseNode<N>>::adopt(new ElementwiseNode<N>(op, all, params, d.lead->dtype(), false));
    node->set_output(out, all);
    record_output(out, std::move(node));
  } else if (!op.info->node) {
    record_no_derivative(op, out, all);
  }
  return out;
}

// Any call.
Tensor planned_result(const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params, const Types& types,
                      bool recorded) {
  const Tensor out = fresh_result(op, in, types.result);
  if (!recorded) {
    compute_into(op, out, in, params, types.compute);
    record_no_derivative(op, out, in);
    return out;
  }
  Ref<Node> node = with_node(op, in, params, types.compute, false, [&](auto& n) {
    compute_into(op, out, in, params, types.compute);
    n.set_output(out, in);
  });
  record_output(out, std::move(node));
  return out;
}

bool needs_history(const ElementwiseOp& op, std::span<const Operand> in) {
  const bool whatever = recorded_in_place_only(op);
  if (!op.info->node && !whatever) return false;
  for (size_t k = 0; k < in.size(); ++k)
    if (in[k].is_tensor() && (whatever || op.differentiable(static_cast<int>(k))) &&
        gradcore::needs_history(*in[k].tensor))
      return true;
  return false;
}

void check_write(const ElementwiseOp& op, const Tensor& self, std::span<const Operand> in, const Types& types) {
  if (!can_cast(types.result, self.dtype()))
    fail("result type ", scalar_type_name(types.result), " can't be cast to the desired output type ",
         scalar_type_name(self.dtype()));
  bool same;
  const Dims shape = shape_of(in, same);
  if (shape != self.shape()) fail("output with shape ", self.shape(), " doesn't match the broadcast shape ", shape);
  check_levels(self, levels_of(in));
  check_inplace(self, needs_history(op, in));
  refuse_partial_overlaps(self, in);
  forward_loop(op, types.compute);
}

// In forward mode the derivative is taken after the write: an operand that lies in the same memory is needed as it was.
struct OperandsAsTheyWere {
  Operand in[3];
  Tensor copies[3];
  OperandsAsTheyWere(const Tensor& self, std::span<const Operand> of) {
    std::ranges::copy(of, in);
    for (size_t i = 1; i < of.size(); ++i)
      if (of[i].tensor && (*of[i].tensor)->storage == self->storage) in[i] = copies[i] = clone(*of[i].tensor);
  }
};

bool carries_tangents(std::span<const Operand> in) {
  return modes.forward &&
         std::ranges::any_of(in, [](const Operand& o) { return o.tensor && may_have_tangent(*o.tensor); });
}

bool find_dense_loop(DenseLoop& to, const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params) {
  return with_arity(in.size(), [&]<int N>() { return fill_dense_loop<N>(to, op, in.data(), params); });
}

// Writes what is not recorded, where it may be written.
void write_dense(DenseLoop& d, const Tensor& to, std::span<const Operand> in) {
  refuse_partial_overlaps(to, in);
  d.set_output(to);
  launch(d.loop);
  finish_inplace(to, nullptr);
}

void write_into(const ElementwiseOp& op, const Tensor& self, std::span<const Operand> in, const Scalar* params,
                const Types& types) {
  const bool recorded = recording(op, in);
  check_write(op, self, in, types);
  std::optional<OperandsAsTheyWere> before;
  if (recorded && carries_tangents(in)) in = {before.emplace(self, in).in, in.size()};
  const auto write = [&] {
    if (types.result == self.dtype()) return compute_into(op, self, in, params, types.compute);
    const Tensor wide = empty_batched(gradcore::levels_of({&self}), self.shape(), types.result);
    compute_into(op, wide, in, params, types.compute);
    copy_raw(self, wide);
  };
  if (!recorded) {
    write();
    finish_inplace(self, modes.tracking() && in.size() == 2 ? node_in_place(op, self, in[1]) : nullptr);
    return;
  }
  // The output is saved after the version moved on, so that it is found unmodified.
  Ref<Node> node = with_node(op, in, params, types.compute, true, [&](auto& n) {
    write();
    self.bump_version();
    n.set_output(self, in);
  });
  finish_inplace_counted(self, std::move(node));
}

}  // namespace

bool recording(const ElementwiseOp& op, std::span<const Operand> in) {
  return with_arity(in.size(), [&]<int N>() { return is_recorded<N>(op, in.data()); });
}
bool make_dense_loop(DenseLoop& to, const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params) {
  return find_dense_loop(to, op, in, params) && to.lead == in[0].tensor && to.lead->is_contiguous();
}

template <int N> static Tensor elementwise_of(const ElementwiseOp& op, const Operand* in, const Scalar* params) {
  const bool recorded = is_recorded<N>(op, in);
  DenseLoop d;
  if (fill_dense_loop<N>(d, op, in, params)) [[likely]]
    return dense_result<N>(d, op, in, params, recorded);
  const std::span<const Operand> all(in, N);
  return planned_result(op, all, params, types_of(op, all), recorded);
}

Tensor elementwise(const ElementwiseOp& op, std::span<const Operand> in, const Scalar* params) {
  return with_arity(in.size(), [&]<int N>() { return elementwise_of<N>(op, in.data(), params); });
}

Tensor elementwise(const ElementwiseCall& c) {
  if (!c.compute) return elementwise(*c.op, c.operands(), c.params);
  return planned_result(*c.op, c.operands(), c.params, types_of(c), recording(*c.op, c.operands()));
}

void elementwise_(const ElementwiseOp& op, const Tensor& self, std::span<const Operand> in, const Scalar* params) {
  DenseLoop d;
  const bool simple = op.info->node && !recording(op, in) && make_dense_loop(d, op, in, params);
  if (!simple || !d.lead->is_same(self) || d.result != self.dtype())
    return write_into(op, self, in, params, types_of(op, in));
  check_inplace(self, false);
  write_dense(d, self, in);
}

void elementwise_(const ElementwiseCall& c, const Tensor& self) {
  if (!c.compute) return elementwise_(*c.op, self, c.operands(), c.params);
  write_into(*c.op, self, c.operands(), c.params, types_of(c));
}

void check_elementwise_(const ElementwiseCall& c, const Tensor& self) {
  check_write(*c.op, self, c.operands(), types_of(c));
}

void check_dense_write(const Tensor& self, std::span<const Operand> in) {
  check_inplace(self, false);
  refuse_partial_overlaps(self, in);
}

bool elementwise_into(const ElementwiseCall& c, const Tensor& out) {
  const std::span<const Operand> in = c.operands();
  DenseLoop d;
  if (c.compute || recording(*c.op, in) || needs_history(out) || !find_dense_loop(d, *c.op, in, c.params)) return false;
  if (!out.is_contiguous() || out.shape() != d.lead->shape() || out.dtype() != d.result) return false;
  check_writable(out, false);
  write_dense(d, out, in);
  return true;
}

Tensor sum_to(const Tensor& t, const Dims& shape) {
  if (t.shape() == shape) return t;
  const int extra = t.dim() - shape.size();
  Dims dims;
  for (int i = 0; i < t.dim(); ++i)
    if (i < extra || (shape[i - extra] == 1 && t.size(i) != 1)) dims.push_back(i);
  if (shape.empty()) return sum(t);
  Tensor s = dims.empty() ? t : sum(t, dims, true);
  return extra ? view(s, shape) : s;
}

// ---- the ops

namespace calls {
#define GC_DEFINE(f, Op) \
  ElementwiseCall f(const Tensor& a) { return {&op_of<formulas::Op>, {a}, {}, {}}; }
GC_UNARY_OPS(GC_DEFINE)
#undef GC_DEFINE
#define GC_DEFINE(f, Op) \
  ElementwiseCall f(const Operand& a, const Operand& b) { return {&op_of<formulas::Op>, {a, b}, {}, {}}; }
GC_BINARY_OPS(GC_DEFINE)
#undef GC_DEFINE
}  // namespace calls

#define GC_DEFINE(f, Op)                                         \
  Tensor f(const Tensor& a) {                                    \
    const Operand in(a);                                         \
    return elementwise_of<1>(op_of<formulas::Op>, &in, nullptr); \
  }                                                              \
  void f##_(const Tensor& a) { elementwise_(op_of<formulas::Op>, a, {{Operand(a)}}); }
GC_UNARY_OPS(GC_DEFINE)
#undef GC_DEFINE
// Whether a number stands first, as in 2 * x, and may as well stand last: torch's graphs show it there.
template <class Op> [[gnu::always_inline]] inline bool turns(const Operand& a) {
  constexpr bool commutes = std::is_same_v<Op, formulas::Add> || std::is_same_v<Op, formulas::Mul>;
  return commutes && !a.is_tensor();
}

#define GC_DEFINE(f, Op)                                        \
  Tensor f(const Operand& a, const Operand& b) {                \
    const bool turn = turns<formulas::Op>(a);                   \
    const Operand in[] = {turn ? b : a, turn ? a : b};          \
    return elementwise_of<2>(op_of<formulas::Op>, in, nullptr); \
  }                                                             \
  void f##_(const Tensor& a, const Operand& b) { elementwise_(op_of<formulas::Op>, a, {{Operand(a), b}}); }
GC_BINARY_OPS(GC_DEFINE)
#undef GC_DEFINE

namespace {

bool is_one(const Scalar& s) { return s.is_float() ? s.to_double() == 1 : s.to_int() == 1; }

// alpha must be a number of the result's kind.
void check_alpha(const Scalar& alpha, DType result) {
  check(!(alpha.kind() == Category::Bool && result != DType::Bool),
        "Boolean alpha only supported for Boolean results.");
  check(!(alpha.is_float() && !is_floating(result)),
        "For integral input tensors, argument alpha must not be a floating point number.");
}

void refuse_bool_sub(const Operand& a, const Operand& b) {
  const auto is_bool = [](const Operand& o) {
    return o.is_tensor() ? o.tensor->dtype() == DType::Bool : o.scalar.kind() == Category::Bool;
  };
  if (is_bool(a) && is_bool(b))
    fail(
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
        "operator instead.");
  if (is_bool(a) || is_bool(b))
    fail(
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
        "the `~` or `logical_not()` operator instead.");
}

// The type in which a call computes, where it is not its first operand's own.
std::optional<DType> raised(const Tensor& t, DType type) {
  return type == t.dtype() ? std::nullopt : std::optional(type);
}

const ElementwiseOp& pow_op(DType base, const Scalar& e) {
  const double v = e.to_double();
  if (v == 2) return op_of<formulas::PowTwo>;
  if (v == 3) return op_of<formulas::PowThree>;
  if (v == 0.5 && is_floating(base)) return op_of<formulas::PowHalf>;
  return op_of<formulas::PowScalar>;
}

void refuse_negative_integer_power(const Operand& a, const Scalar& e) {
  const bool integer_base = a.is_tensor() ? !is_floating(a.tensor->dtype()) : !a.scalar.is_float();
  if (integer_base && !e.is_float() && e.to_int() < 0) fail("Integers to negative integer powers are not allowed.");
}

}  // namespace

namespace calls {

ElementwiseCall add(const Operand& a, const Operand& b, const Scalar& alpha) {
  if (is_one(alpha)) return {&op_of<formulas::Add>, {a, b}, {}, {}};
  const Operand in[] = {a, b};
  check_alpha(alpha, result_type(in));
  return {&op_of<formulas::AddScaled>, {a, b}, {alpha}, {}};
}

ElementwiseCall sub(const Operand& a, const Operand& b, const Scalar& alpha) {
  refuse_bool_sub(a, b);
  if (is_one(alpha) && !a.is_tensor()) return {&op_of<formulas::Rsub>, {b, a}, {}, {}};
  if (is_one(alpha)) return {&op_of<formulas::Sub>, {a, b}, {}, {}};
  const Operand in[] = {a, b};
  check_alpha(alpha, result_type(in));
  return {&op_of<formulas::SubScaled>, {a, b}, {alpha}, {}};
}

// A number as exponent is a parameter of the formula, and takes part in the type.
ElementwiseCall pow(const Operand& a, const Operand& b) {
  if (!a.is_tensor()) return {&op_of<formulas::PowNumber>, {a, b}, {}, {}};
  if (b.is_tensor()) return {&op_of<formulas::Pow>, {a, b}, {}, {}};
  refuse_negative_integer_power(a, b.scalar);
  const Operand in[] = {a, b};
  const DType t = result_type(in);
  // Of bools, x ** e is x or not e.
  if (t == DType::Bool) return {&op_of<formulas::LogicalOr>, {a, Scalar(b.scalar.is_zero())}, {}, {}};
  if (!is_floating(t)) check_fits(b.scalar, t);
  return {&pow_op(t, b.scalar), {a}, {b.scalar}, raised(*a.tensor, t)};
}

ElementwiseCall addcmul(const Operand& t, const Operand& a, const Operand& b, const Scalar& value) {
  return {&op_of<formulas::Addcmul>, {t, a, b}, {value}, {}};
}

ElementwiseCall addcdiv(const Operand& t, const Operand& a, const Operand& b, const Scalar& value) {
  const Operand in[] = {a, b};
  check(is_floating(result_type(in)),
        "Integer division with addcdiv is no longer supported, and in a future release "
        "addcdiv will perform a true division of tensor1 and tensor2.");
  return {&op_of<formulas::Addcdiv>, {t, a, b}, {value}, {}};
}

ElementwiseCall lerp(const Tensor& a, const Tensor& b, const Operand& w) {
  check(a.dtype() == b.dtype(), "expected dtype ", scalar_type_name(a.dtype()), " for `end` but got dtype ",
        scalar_type_name(b.dtype()));
  if (w.is_tensor() && (w.tensor->dim() > 0 || a.dim() == 0))
    check(a.dtype() == w.tensor->dtype(), "expected dtype ", scalar_type_name(a.dtype()),
          " for `weight` but got dtype ", scalar_type_name(w.tensor->dtype()));
  if (!is_floating(a.dtype()))
    fail(ErrorKind::NotImplemented, "\"lerp\" not implemented for '", scalar_type_name(a.dtype()), "'");
  return {&op_of<formulas::Lerp>, {a, b, w}, {}, {}};
}

// Number bounds are parameters of the formula, and take part in the type.
ElementwiseCall clamp(const Tensor& t, const Bound& lo, const Bound& hi) {
  check(lo || hi, "torch.clamp: At least one of 'min' or 'max' must not be None");
  if ((lo && lo->is_tensor()) || (hi && hi->is_tensor())) {
    if (!hi) return {&op_of<formulas::ClampOnlyMinTensor>, {t, *lo}, {}, {}};
    if (!lo) return {&op_of<formulas::ClampOnlyMaxTensor>, {t, *hi}, {}, {}};
    return {&op_of<formulas::ClampTensor>, {t, *lo, *hi}, {}, {}};
  }
  const Operand in[] = {t, lo ? *lo : Operand(t), hi ? *hi : Operand(t)};
  const DType result = result_type(in);
  if (lo) check_fits(lo->scalar, result);
  if (hi) check_fits(hi->scalar, result);
  const auto type = raised(t, result);
  if (!hi) return {&op_of<formulas::ClampOnlyMin>, {t}, {lo->scalar}, type};
  if (!lo) return {&op_of<formulas::ClampOnlyMax>, {t}, {hi->scalar}, type};
  return {&op_of<formulas::Clamp>, {t}, {lo->scalar, hi->scalar}, type};
}
ElementwiseCall clamp_min(const Tensor& t, const Operand& lo) {
  ElementwiseCall c = calls::clamp(t, lo, {});
  c.op = lo.is_tensor() ? &op_of<formulas::ClampMinTensor> : &op_of<formulas::ClampMin>;
  return c;
}
ElementwiseCall clamp_max(const Tensor& t, const Operand& hi) {
  ElementwiseCall c = calls::clamp(t, {}, hi);
  c.op = hi.is_tensor() ? &op_of<formulas::ClampMaxTensor> : &op_of<formulas::ClampMax>;
  return c;
}

}  // namespace calls

Tensor add(const Operand& a, const Operand& b, const Scalar& alpha) {
  // Without a detour: every a + b comes here.
  if (is_one(alpha)) [[likely]] {
    const bool turn = turns<formulas::Add>(a);
    const Operand in[] = {turn ? b : a, turn ? a : b};
    return elementwise_of<2>(op_of<formulas::Add>, in, nullptr);
  }
  return elementwise(calls::add(a, b, alpha));
}
void add_(const Tensor& a, const Operand& b, const Scalar& alpha) { elementwise_(calls::add(a, b, alpha), a); }
Tensor sub(const Operand& a, const Operand& b, const Scalar& alpha) { return elementwise(calls::sub(a, b, alpha)); }
void sub_(const Tensor& a, const Operand& b, const Scalar& alpha) { elementwise_(calls::sub(a, b, alpha), a); }
Tensor pow(const Operand& a, const Operand& b) { return elementwise(calls::pow(a, b)); }
void pow_(const Tensor& a, const Operand& b) { elementwise_(calls::pow(a, b), a); }
Tensor square(const Tensor& t) { return pow(t, Scalar(2)); }
void square_(const Tensor& t) { pow_(t, Scalar(2)); }

Tensor isnan(const Tensor& t) { return elementwise(op_of<formulas::Isnan>, {{Operand(t)}}); }
struct RoundToVjp {
  static constexpr const char* kName = "RoundBackward1";
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = zeros_like(g[0]); }
};
static Tensor rounded(const Tensor& t, int64_t decimals) {
  if (decimals == 0) return round(t);
  const Scalar unit = std::pow(10.0, std::fabs(static_cast<double>(decimals)));
  return decimals > 0 ? div(round(mul(t, unit)), unit) : mul(round(div(t, unit)), unit);
}
Tensor round_to(const Tensor& t, int64_t decimals) {
  if (decimals != 0 && !is_floating(t.dtype()))
    fail(ErrorKind::NotImplemented, "\"round\" to decimals not implemented for '", scalar_type_name(t.dtype()), "'");
  Tensor out;
  {
    const NoRecordGuard off;
    out = rounded(t, decimals);
  }
  if (is_floating(t.dtype()) && should_record(t)) record(out, {&t}, RoundToVjp{});
  return out;
}
// Integers are always finite.
Tensor isinf(const Tensor& t) {
  if (!is_floating(t.dtype())) return full_like(t, false, DType::Bool);
  return elementwise(op_of<formulas::Isinf>, {{Operand(t)}});
}
Tensor isfinite(const Tensor& t) {
  if (!is_floating(t.dtype())) return full_like(t, true, DType::Bool);
  return elementwise(op_of<formulas::Isfinite>, {{Operand(t)}});
}

Tensor where(const Tensor& condition, const Operand& a, const Operand& b) {
  if (condition.dtype() != DType::Bool && condition.dtype() != DType::UInt8)
    fail("where expected condition to be a boolean tensor, but got a tensor with dtype ",
         scalar_type_name(condition.dtype()));
  const Operand values[] = {a, b};
  for (const Operand& v : values)
    if (!v.is_tensor()) check_fits(v.scalar, result_type(values));
  return elementwise(op_of<formulas::Where>, {{Operand(condition), a, b}});
}

// The value takes the tensor's type; a number is cut to it.
static void check_fill(const Tensor& t, const Tensor& mask, const Operand& value) {
  check(mask.dtype() == DType::Bool, "masked_fill only supports boolean masks, but got mask with dtype ",
        dtype_name(mask.dtype()));
  check(!value.is_tensor() || value.tensor->dim() == 0,
        "masked_fill only supports a 0-dimensional value tensor, but got tensor with ",
        value.is_tensor() ? value.tensor->dim() : 0, " dimension(s).");
  if (!value.is_tensor()) check_fits(value.scalar, t.dtype());
}
static Scalar fill_number(const Scalar& s, DType dtype) {
  if (dtype == DType::Bool) return !s.is_zero();
  return is_floating(dtype) ? s : Scalar(s.to_int());
}
// f(operand of t's type)
template <class F> static auto with_fill_operand(const Tensor& t, const Tensor& mask, const Operand& value, F&& f) {
  check_fill(t, mask, value);
  if (!value.is_tensor()) return f(Operand(fill_number(value.scalar, t.dtype())));
  const Tensor converted = cast(*value.tensor, t.dtype());
  return f(Operand(converted));
}
Tensor masked_fill(const Tensor& t, const Tensor& mask, const Operand& value) {
  return with_fill_operand(t, mask, value, [&](const Operand& v) {
    return elementwise(op_of<formulas::MaskedFill>, {{Operand(t), Operand(mask), v}});
  });
}
void masked_fill_(const Tensor& t, const Tensor& mask, const Operand& value) {
  with_fill_operand(t, mask, value, [&](const Operand& v) {
    elementwise_(op_of<formulas::MaskedFill>, t, {{Operand(t), Operand(mask), v}});
  });
}

Tensor addcmul(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value) {
  return elementwise(calls::addcmul(t, a, b, value));
}
void addcmul_(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value) {
  elementwise_(calls::addcmul(t, a, b, value), t);
}
Tensor addcdiv(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value) {
  return elementwise(calls::addcdiv(t, a, b, value));
}
void addcdiv_(const Tensor& t, const Operand& a, const Operand& b, const Scalar& value) {
  elementwise_(calls::addcdiv(t, a, b, value), t);
}
Tensor lerp(const Tensor& a, const Tensor& b, const Operand& weight) { return elementwise(calls::lerp(a, b, weight)); }
void lerp_(const Tensor& a, const Tensor& b, const Operand& weight) { elementwise_(calls::lerp(a, b, weight), a); }
Tensor clamp(const Tensor& t, const Bound& lo, const Bound& hi) { return elementwise(calls::clamp(t, lo, hi)); }
void clamp_(const Tensor& t, const Bound& lo, const Bound& hi) { elementwise_(calls::clamp(t, lo, hi), t); }
Tensor clamp_min(const Tensor& t, const Operand& lo) { return elementwise(calls::clamp_min(t, lo)); }
Tensor clamp_max(const Tensor& t, const Operand& hi) { return elementwise(calls::clamp_max(t, hi)); }

// ---- every formula as functions (formula_functions.h)

template <class Op> Tensor unary(const Tensor& a) {
  const Operand in(a);
  return elementwise_of<1>(op_of<Op>, &in, nullptr);
}
template <class Op> void unary_(const Tensor& a) { elementwise_(op_of<Op>, a, {{Operand(a)}}); }
template <class Op> ElementwiseCall unary_call(const Tensor& a) { return {&op_of<Op>, {a}, {}, {}}; }

template <class Op> Tensor binary(const Operand& a, const Operand& b) {
  const bool turn = turns<Op>(a);
  const Operand in[] = {turn ? b : a, turn ? a : b};
  return elementwise_of<2>(op_of<Op>, in, nullptr);
}
template <class Op> void binary_(const Tensor& a, const Operand& b) { elementwise_(op_of<Op>, a, {{Operand(a), b}}); }
template <class Op> ElementwiseCall binary_call(const Operand& a, const Operand& b) {
  return {&op_of<Op>, {a, b}, {}, {}};
}

namespace {

// Never called. That it takes their addresses makes the compiler emit the functions for other files.
using Function = void (*)();
template <class Op> void take_addresses(Function volatile& to) {
  if constexpr (Op::kArity == 1) {
    to = reinterpret_cast<Function>(&unary<Op>);
    to = reinterpret_cast<Function>(&unary_<Op>);
    to = reinterpret_cast<Function>(&unary_call<Op>);
  } else if constexpr (Op::kArity == 2) {
    to = reinterpret_cast<Function>(&binary<Op>);
    to = reinterpret_cast<Function>(&binary_<Op>);
    to = reinterpret_cast<Function>(&binary_call<Op>);
  }
}
template <class... Op> void take_addresses_of(Function volatile& to, TypeList<Op...>) { (take_addresses<Op>(to), ...); }
template <class... Group> void take_all_addresses(Function volatile& to, TypeList<Group...>) {
  (take_addresses_of(to, Group{}), ...);
}
[[gnu::used]] void emit_functions(Function volatile& to) { take_all_addresses(to, formulas::Groups{}); }

}  // namespace

}  // namespace gradcore
