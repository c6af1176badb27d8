// The driver of elementwise ops: shapes, the loop, what is recorded. Start at elementwise_of(). The node is in
// elementwise_node.h, the type rules in elementwise_types.cpp, ops that are more than their formula in pointwise.cpp.
#include "ops/elementwise.h"

#include <algorithm>

#include "autograd/views.h"
#include "ops/elementwise_node.h"
#include "ops/elementwise_op.h"
#include "ops/elementwise_types.h"
#include "ops/formula_functions.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/batch.h"
#include "tensor/meta.h"

namespace gradcore {

namespace {

// ---- loops

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
        store(in[k].number, operands[k].scalar, type, op.info->exact_numbers);
        continue;
      }
      const Tensor& t = *operands[k].tensor;
      if (t.dtype() == type) {
        in[k].tensor = &t;
        continue;
      }
      if (stays_exact(op, static_cast<int>(k), t, type)) {
        store(in[k].number, item(t), type, true);
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
    if (is_meta(t)) return;  // nobody knows its values
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
  if (op.arity == 2 && out.numel() != 0) refuse_zero_divisor(op, compute, prepared.in[1]);
  launch_loop(loop, op.info->cost, out, {prepared.in, in.size()},
              LoopParams(params, op.params, compute, !op.info->rounded_parameters));
}

void refuse_partial_overlaps(const Tensor& out, std::span<const Operand> in) {
  for (const Operand& o : in)
    if (o.is_tensor()) refuse_partial_overlap(out, *o.tensor);
}

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
  if (op.info->node || op.info->detached || !is_floating(out.dtype()) || !modes.tracking()) return;
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
      store(to.loop.set_number(k + 1, once, item), in[k].scalar, type, op.info->exact_numbers);
    }
  }
  if (op.params) store_params(to.loop.params(), params, op.params, type, !op.info->rounded_parameters);
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
  compute_into(op, out, in, params, types.compute);
  if (!recorded) {
    record_no_derivative(op, out, in);
    return out;
  }
  Ref<Node> node = with_node(op, in, params, types.compute, false, [&](auto& n) { n.set_output(out, in); });
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
    if (nodes_run_python()) [[unlikely]]
      check_write(op, self, in, types);  // anew
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

Tensor plus(const Operand& a, const Operand& b) {
  const bool turn = turns<formulas::Add>(a);
  const Operand in[] = {turn ? b : a, turn ? a : b};
  return elementwise_of<2>(op_of<formulas::Add>, in, nullptr);
}
Tensor add(const Operand& a, const Operand& b, const Scalar& alpha) {
  return alpha.is_one() ? plus(a, b) : elementwise(calls::add(a, b, alpha));
}

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

template <class Op> ElementwiseCall call_with(const Tensor& a, std::span<const Scalar> params) {
  ElementwiseCall c{&op_of<Op>, {a}, {}, {}};
  std::ranges::copy(params, c.params);
  return c;
}
template <class Op> ElementwiseCall call_with(const Operand& a, const Operand& b, std::span<const Scalar> params) {
  ElementwiseCall c{&op_of<Op>, {a, b}, {}, {}};
  std::ranges::copy(params, c.params);
  return c;
}

namespace {

// Never called. That it takes their addresses makes the compiler emit the functions for other files.
using Function = void (*)();
template <class Op> void take_addresses(Function volatile& to) {
  if constexpr (Op::kArity == 1 && formulas::params_of<Op> != 0) {
    to = reinterpret_cast<Function>(
        static_cast<ElementwiseCall (*)(const Tensor&, std::span<const Scalar>)>(call_with<Op>));
  } else if constexpr (Op::kArity == 2 && formulas::params_of<Op> != 0) {
    to = reinterpret_cast<Function>(
        static_cast<ElementwiseCall (*)(const Operand&, const Operand&, std::span<const Scalar>)>(call_with<Op>));
  } else if constexpr (Op::kArity == 1) {
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
