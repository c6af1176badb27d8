// Every op that Python sees: its signature and the call behind it. Adding an op is a line here (elementwise formulas
// get theirs from the lists in ops.h).
#include "bindings/args.h"
#include "ops/batching.h"

#include "autograd/transforms.h"
#include "autograd/views.h"

namespace gradcore {

namespace {

PyObject* self_of(Args& a) { return Py_NewRef(a.object(0)); }

// The dtype of a factory: dtype=, else the default; and requires_grad= on the result.
PyObject* finish(Tensor t, bool needs_grad) {
  if (needs_grad) set_requires_grad(t, true);
  return wrap(std::move(t));
}

PyObject* pair(const char* op, ValuesIndices r);

double correction(const Args& a, int i) { return a.given(i) ? a.scalar(i).to_double() : 1; }
// memory_format=contiguous_format, as against preserve_format or none.
bool wants_contiguous(const Args& a, int i) {
  if (!a.given(i)) return false;
  const std::string name = py::repr(py::handle(a.object(i))).cast<std::string>();
  if (name == "torch.contiguous_format") return true;
  check(name == "torch.preserve_format", ErrorKind::Type,
        "memory_format must be contiguous_format or preserve_format, not ", name);
  return false;
}
MaybeDims dims_or_all(const Args& a, int i) { return a.maybe_dims(i); }

#define OP(kind, signature, ...) register_op(kind, signature, [](Args& a) -> PyObject* { return __VA_ARGS__; })
// An elementwise op with out=: how to run it, and the call to run into a tensor that fits.
#define OUT_OP(kind, signature, run, call)                             \
  register_op(                                                         \
      kind, signature, [](Args& a) -> PyObject* { return wrap(run); }, \
      [](Args& a, const Tensor& out) { return elementwise_into(call, out); })
#define VOID_OP(kind, signature, ...)                     \
  register_op(kind, signature, [](Args& a) -> PyObject* { \
    __VA_ARGS__;                                          \
    return self_of(a);                                    \
  })

// cumsum_ and cumprod_: torch takes no other dtype in place, but lets integers wrap in their own.
void cumulate_(Args& a, Tensor (*op)(const Tensor&, int64_t, MaybeDType)) {
  const Tensor t = a.tensor(0);
  const DType type = a.dtype(2, t.dtype());
  if (type != t.dtype())
    fail("Bad in-place call: input tensor dtype ", scalar_type_name(t.dtype()), " and output tensor dtype ",
         scalar_type_name(type), " should match");
  copy_(t, op(clone(t), a.integer(1), type));
}

// nonzero() by dims; a single number counts as one dim.
PyObject* places(const Tensor& t) { return wrap_tuple(unbind(nonzero(t.dim() ? t : unsqueeze(t, 0)), 1)); }

void register_elementwise() {
#define GC_REGISTER(f, Op)                                                                        \
  OUT_OP(kBoth, #f "(Tensor input, *, Tensor? out=None)", f(a.tensor(0)), calls::f(a.tensor(0))); \
  VOID_OP(kBoth, #f "_(Tensor input)", f##_(a.tensor(0)));
  GC_UNARY_OPS(GC_REGISTER)
#undef GC_REGISTER
#define GC_REGISTER(f, alias)                                                                         \
  OUT_OP(kBoth, #alias "(Tensor input, *, Tensor? out=None)", f(a.tensor(0)), calls::f(a.tensor(0))); \
  VOID_OP(kBoth, #alias "_(Tensor input)", f##_(a.tensor(0)));
  GC_REGISTER(abs, absolute)
  GC_REGISTER(neg, negative)
  GC_REGISTER(trunc, fix)
  GC_REGISTER(asin, arcsin)
  GC_REGISTER(acos, arccos)
  GC_REGISTER(atan, arctan)
#undef GC_REGISTER

// A and B: what stands on either side. torch takes numbers on the left of some, and tensors alone for others.
#define GC_REGISTER_AS(f, name, A, B)                                                                          \
  OUT_OP(kBoth, name "(" A " input, " B " other, *, Tensor? out=None)", f(OperandArg(a, 0), OperandArg(a, 1)), \
         calls::f(OperandArg(a, 0), OperandArg(a, 1)));                                                        \
  VOID_OP(kMethod, name "_(Tensor input, " B " other)", f##_(a.tensor(0), OperandArg(a, 1)));
#define GC_REGISTER_TENSORS(f, Op) GC_REGISTER_AS(f, #f, "Tensor", "Tensor")
#define GC_REGISTER(f, Op) GC_REGISTER_AS(f, #f, "Tensor", "Operand")
#define GC_REGISTER_EITHER(f, Op) GC_REGISTER_AS(f, #f, "Operand", "Operand")
  GC_REGISTER(fmod, Fmod)
  GC_REGISTER(remainder, Remainder)
  GC_REGISTER(eq, Eq)
  GC_REGISTER(ne, Ne)
  GC_REGISTER(lt, Lt)
  GC_REGISTER(le, Le)
  GC_REGISTER(gt, Gt)
  GC_REGISTER(ge, Ge)
  GC_REGISTER_TENSORS(atan2, Atan2)
  GC_REGISTER_TENSORS(logical_and, LogicalAnd)
  GC_REGISTER_TENSORS(logical_or, LogicalOr)
  GC_REGISTER_TENSORS(logical_xor, LogicalXor)
  GC_REGISTER_EITHER(mul, Mul)
  GC_REGISTER_EITHER(floor_divide, FloorDivide)
  GC_REGISTER_EITHER(bitwise_and, BitwiseAnd)
  GC_REGISTER_EITHER(bitwise_or, BitwiseOr)
  GC_REGISTER_EITHER(bitwise_xor, BitwiseXor)
  GC_REGISTER_EITHER(bitwise_left_shift, LeftShift)
  GC_REGISTER_EITHER(bitwise_right_shift, RightShift)
  GC_REGISTER_AS(mul, "multiply", "Operand", "Operand")
  GC_REGISTER_AS(atan2, "arctan2", "Tensor", "Tensor")
  GC_REGISTER_AS(ne, "not_equal", "Tensor", "Operand")
  GC_REGISTER_AS(gt, "greater", "Tensor", "Operand")
  GC_REGISTER_AS(ge, "greater_equal", "Tensor", "Operand")
  GC_REGISTER_AS(lt, "less", "Tensor", "Operand")
  GC_REGISTER_AS(le, "less_equal", "Tensor", "Operand")
#undef GC_REGISTER
#undef GC_REGISTER_TENSORS
#undef GC_REGISTER_EITHER
#undef GC_REGISTER_AS
  // Numbers on the left, where torch's functions take them.
  OP(kFunction, "remainder(Number input, Tensor other)", wrap(remainder(a.scalar(0), a.tensor(1))));
  for (const char* name : {"maximum", "max"})
    register_op(kBoth, str_cat(name, "(Tensor input, Tensor other, *, Tensor? out=None)").c_str(),
                [](Args& a) -> PyObject* { return wrap(maximum(a.tensor(0), a.tensor(1))); });
  for (const char* name : {"minimum", "min"})
    register_op(kBoth, str_cat(name, "(Tensor input, Tensor other, *, Tensor? out=None)").c_str(),
                [](Args& a) -> PyObject* { return wrap(minimum(a.tensor(0), a.tensor(1))); });

  for (const char* name : {"div", "divide", "true_divide"}) {
    register_op(kBoth,
                str_cat(name, "(Operand input, Operand other, *, str? rounding_mode=None, Tensor? out=None)").c_str(),
                [](Args& a) -> PyObject* {
                  const OperandArg x(a, 0), y(a, 1);
                  if (!a.given(2)) return wrap(div(x, y));
                  const std::string mode = a.str(2);
                  if (mode == "floor") return wrap(div_floor(x, y));
                  if (mode == "trunc") return wrap(div_trunc(x, y));
                  fail("div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", mode, "'");
                });
    register_op(kMethod, str_cat(name, "_(Tensor input, Operand other, *, str? rounding_mode=None)").c_str(),
                [](Args& a) -> PyObject* {
                  const OperandArg y(a, 1);
                  const std::string mode = a.given(2) ? a.str(2) : "";
                  check(mode.empty() || mode == "floor" || mode == "trunc",
                        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", mode, "'");
                  if (mode == "floor")
                    div_floor_(a.tensor(0), y);
                  else if (mode == "trunc")
                    div_trunc_(a.tensor(0), y);
                  else
                    div_(a.tensor(0), y);
                  return self_of(a);
                });
  }
  OUT_OP(kBoth, "add(Operand input, Operand other, *, Number alpha=1, Tensor? out=None)",
         add(OperandArg(a, 0), OperandArg(a, 1), a.scalar(2)),
         calls::add(OperandArg(a, 0), OperandArg(a, 1), a.scalar(2)));
  VOID_OP(kMethod, "add_(Tensor input, Operand other, *, Number alpha=1)",
          add_(a.tensor(0), OperandArg(a, 1), a.scalar(2)));
  // The factor in the middle: how programs of old give it.
  OP(kBoth, "add(Tensor input, Number alpha, Tensor other)", wrap(add(a.tensor(0), a.tensor(2), a.scalar(1))));
  VOID_OP(kMethod, "add_(Tensor input, Number alpha, Tensor other)", add_(a.tensor(0), a.tensor(2), a.scalar(1)));
  OP(kBoth, "sub(Tensor input, Number alpha, Tensor other)", wrap(sub(a.tensor(0), a.tensor(2), a.scalar(1))));
  VOID_OP(kMethod, "sub_(Tensor input, Number alpha, Tensor other)", sub_(a.tensor(0), a.tensor(2), a.scalar(1)));
  OP(kBoth, "addcmul(Tensor input, Number value, Tensor tensor1, Tensor tensor2)",
     wrap(addcmul(a.tensor(0), a.tensor(2), a.tensor(3), a.scalar(1))));
  VOID_OP(kMethod, "addcmul_(Tensor input, Number value, Tensor tensor1, Tensor tensor2)",
          addcmul_(a.tensor(0), a.tensor(2), a.tensor(3), a.scalar(1)));
  OP(kBoth, "addcdiv(Tensor input, Number value, Tensor tensor1, Tensor tensor2)",
     wrap(addcdiv(a.tensor(0), a.tensor(2), a.tensor(3), a.scalar(1))));
  VOID_OP(kMethod, "addcdiv_(Tensor input, Number value, Tensor tensor1, Tensor tensor2)",
          addcdiv_(a.tensor(0), a.tensor(2), a.tensor(3), a.scalar(1)));
  for (const char* name : {"sub", "subtract"}) {
    OUT_OP(kBoth, str_cat(name, "(Operand input, Operand other, *, Number alpha=1, Tensor? out=None)").c_str(),
           sub(OperandArg(a, 0), OperandArg(a, 1), a.scalar(2)),
           calls::sub(OperandArg(a, 0), OperandArg(a, 1), a.scalar(2)));
    register_op(kMethod, str_cat(name, "_(Tensor input, Operand other, *, Number alpha=1)").c_str(),
                [](Args& a) -> PyObject* {
                  sub_(a.tensor(0), OperandArg(a, 1), a.scalar(2));
                  return self_of(a);
                });
  }
  OP(kFunction, "rsub(Tensor input, Operand other, *, Number alpha=1)",
     wrap(sub(OperandArg(a, 1), OperandArg(a, 0), a.scalar(2))));
  OUT_OP(kBoth, "pow(Tensor input, Operand exponent, *, Tensor? out=None)", pow(OperandArg(a, 0), OperandArg(a, 1)),
         calls::pow(OperandArg(a, 0), OperandArg(a, 1)));
  OP(kFunction, "pow(Number input, Tensor exponent, *, Tensor? out=None)",
     wrap(pow(OperandArg(a, 0), OperandArg(a, 1))));
  VOID_OP(kMethod, "pow_(Tensor input, Operand exponent)", pow_(a.tensor(0), OperandArg(a, 1)));
  OP(kBoth, "square(Tensor input, *, Tensor? out=None)", wrap(square(a.tensor(0))));
  VOID_OP(kBoth, "square_(Tensor input)", square_(a.tensor(0)));
  OP(kBoth, "positive(Tensor input)", [&] {
    check(a.tensor(0).dtype() != DType::Bool, "The `+` operator, on a bool tensor is not supported.");
    return self_of(a);
  }());
  OP(kBoth, "round(Tensor input, *, int decimals, Tensor? out=None)", wrap(round_to(a.tensor(0), a.integer(1))));
  VOID_OP(kBoth, "round_(Tensor input, *, int decimals)",
          copy_(a.tensor(0), round_to(clone(a.tensor(0)), a.integer(1))));
  OP(kBoth, "isnan(Tensor input)", wrap(isnan(a.tensor(0))));
  OP(kBoth, "isinf(Tensor input)", wrap(isinf(a.tensor(0))));
  OP(kBoth, "isfinite(Tensor input)", wrap(isfinite(a.tensor(0))));

  OP(kFunction, "where(Tensor condition, Operand input, Operand other, *, Tensor? out=None)",
     wrap(where(a.tensor(0), OperandArg(a, 1), OperandArg(a, 2))));
  OP(kMethod, "where(Tensor input, Tensor condition, Operand other)",
     wrap(where(a.tensor(1), OperandArg(a, 0), OperandArg(a, 2))));
  OP(kFunction, "where(Tensor condition)", places(a.tensor(0)));
  OP(kBoth, "masked_fill(Tensor input, Tensor mask, Operand value)",
     wrap(masked_fill(a.tensor(0), a.tensor(1), OperandArg(a, 2))));
  VOID_OP(kMethod, "masked_fill_(Tensor input, Tensor mask, Operand value)",
          masked_fill_(a.tensor(0), a.tensor(1), OperandArg(a, 2)));
  for (const char* name : {"addcmul", "addcdiv"}) {
    const bool mul = name[4] == 'm';
    const std::string params = "(Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1";
    register_op(
        kBoth, (name + params + ", Tensor? out=None)").c_str(),
        mul ? [](Args& a) -> PyObject* { return wrap(addcmul(a.tensor(0), a.tensor(1), a.tensor(2), a.scalar(3))); }
            : [](Args& a) -> PyObject* { return wrap(addcdiv(a.tensor(0), a.tensor(1), a.tensor(2), a.scalar(3))); });
    register_op(kMethod, str_cat(name, "_", params, ")").c_str(),
                mul ? [](Args& a) -> PyObject* {
                  addcmul_(a.tensor(0), a.tensor(1), a.tensor(2), a.scalar(3));
                  return self_of(a);
                }
                    : [](Args& a) -> PyObject* {
                        addcdiv_(a.tensor(0), a.tensor(1), a.tensor(2), a.scalar(3));
                        return self_of(a);
                      });
  }
  OP(kBoth, "lerp(Tensor input, Tensor end, Operand weight, *, Tensor? out=None)",
     wrap(lerp(a.tensor(0), a.tensor(1), OperandArg(a, 2))));
  VOID_OP(kMethod, "lerp_(Tensor input, Tensor end, Operand weight)",
          lerp_(a.tensor(0), a.tensor(1), OperandArg(a, 2)));
  for (const char* name : {"clamp", "clip"}) {
    register_op(kBoth,
                str_cat(name, "(Tensor input, Operand? min=None, Operand? max=None, *, Tensor? out=None)").c_str(),
                [](Args& a) -> PyObject* {
                  const OperandArg lo(a, 1), hi(a, 2);
                  return wrap(clamp(a.tensor(0), lo.bound(), hi.bound()));
                });
    register_op(kBoth, str_cat(name, "_(Tensor input, Operand? min=None, Operand? max=None)").c_str(),
                [](Args& a) -> PyObject* {
                  const OperandArg lo(a, 1), hi(a, 2);
                  clamp_(a.tensor(0), lo.bound(), hi.bound());
                  return self_of(a);
                });
  }
  OP(kBoth, "clamp_min(Tensor input, Operand min, *, Tensor? out=None)",
     wrap(clamp_min(a.tensor(0), OperandArg(a, 1))));
  OP(kBoth, "clamp_max(Tensor input, Operand max, *, Tensor? out=None)",
     wrap(clamp_max(a.tensor(0), OperandArg(a, 1))));
  VOID_OP(kMethod, "clamp_min_(Tensor input, Operand min)", clamp_(a.tensor(0), OperandArg(a, 1).bound(), {}));
  VOID_OP(kMethod, "clamp_max_(Tensor input, Operand max)", clamp_(a.tensor(0), {}, OperandArg(a, 1).bound()));
}

void register_reductions() {
  OP(kBoth, "sum(Tensor input, *, dtype? dtype=None)", wrap(sum(a.tensor(0), {}, false, a.maybe_dtype(1))));
  OP(kBoth, "sum(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
     wrap(sum(a.tensor(0), dims_or_all(a, 1), a.flag(2), a.maybe_dtype(3))));
  OP(kBoth, "mean(Tensor input, *, dtype? dtype=None, Tensor? out=None)",
     wrap(mean(a.tensor(0), {}, false, a.maybe_dtype(1))));
  OP(kBoth, "mean(Tensor input, int[1]? dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
     wrap(mean(a.tensor(0), dims_or_all(a, 1), a.flag(2), a.maybe_dtype(3))));
  OP(kBoth, "prod(Tensor input, *, dtype? dtype=None)", wrap(prod(a.tensor(0), {}, false, a.maybe_dtype(1))));
  OP(kBoth, "prod(Tensor input, int dim, bool keepdim=False, *, dtype? dtype=None, Tensor? out=None)",
     wrap(prod(a.tensor(0), a.integer(1), a.flag(2), a.maybe_dtype(3))));
#define GC_SPREAD(f)                                                                                                 \
  OP(kBoth, #f "(Tensor input, bool unbiased)", wrap(f(a.tensor(0), {}, a.flag(1) ? 1 : 0, false)));                 \
  OP(kBoth, #f "(Tensor input, int[1]? dim=None, *, Number? correction=None, bool keepdim=False, Tensor? out=None)", \
     wrap(f(a.tensor(0), dims_or_all(a, 1), correction(a, 2), a.flag(3))));                                          \
  OP(kBoth, #f "(Tensor input, int[1]? dim, bool unbiased=True, bool keepdim=False, *, Tensor? out=None)",           \
     wrap(f(a.tensor(0), dims_or_all(a, 1), a.flag(2) ? 1 : 0, a.flag(3))));
  GC_SPREAD(var)
  GC_SPREAD(std)
#undef GC_SPREAD
  for (const char* name : {"var_mean", "std_mean"}) {
    const bool is_var = name[0] == 'v';
    register_op(
        kFunction, str_cat(name, "(Tensor input, bool unbiased)").c_str(),
        is_var
        ? [](Args& a) -> PyObject* { return wrap_tuple({var(a.tensor(0), {}, a.flag(1), false), mean(a.tensor(0))}); }
        : [](Args& a) -> PyObject* { return wrap_tuple({std(a.tensor(0), {}, a.flag(1), false), mean(a.tensor(0))}); });
    register_op(
        kFunction, str_cat(name, "(Tensor input, int[1]? dim=None, *, Number? correction=None, bool keepdim=False)").c_str(),
        is_var ? [](Args& a) -> PyObject* { return wrap_tuple({var(a.tensor(0), a.maybe_dims(1), correction(a, 2), a.flag(3)),
                                                              mean(a.tensor(0), a.maybe_dims(1), a.flag(3))}); }
               : [](Args& a) -> PyObject* { return wrap_tuple({std(a.tensor(0), a.maybe_dims(1), correction(a, 2), a.flag(3)),
                                                              mean(a.tensor(0), a.maybe_dims(1), a.flag(3))}); });
    register_op(
        kFunction, str_cat(name, "(Tensor input, int[1]? dim, bool unbiased=True, bool keepdim=False)").c_str(),
        is_var ? [](Args& a) -> PyObject* { return wrap_tuple({var(a.tensor(0), a.maybe_dims(1), a.flag(2), a.flag(3)),
                                                              mean(a.tensor(0), a.maybe_dims(1), a.flag(3))}); }
               : [](Args& a) -> PyObject* { return wrap_tuple({std(a.tensor(0), a.maybe_dims(1), a.flag(2), a.flag(3)),
                                                              mean(a.tensor(0), a.maybe_dims(1), a.flag(3))}); });
  }
#define GC_EXTREME(f)                                                                \
  OP(kBoth, #f "(Tensor input, *, Tensor? out=None)", wrap(f(a.tensor(0))));         \
  OP(kBoth, #f "(Tensor input, int dim, bool keepdim=False, *, Tensor[]? out=None)", \
     pair(#f, f(a.tensor(0), a.integer(1), a.flag(2))));
  GC_EXTREME(max)
  GC_EXTREME(min)
#undef GC_EXTREME
  OP(kBoth, "amax(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None)",
     wrap(amax(a.tensor(0), dims_or_all(a, 1), a.flag(2))));
  OP(kBoth, "amin(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None)",
     wrap(amin(a.tensor(0), dims_or_all(a, 1), a.flag(2))));
  OP(kBoth, "argmax(Tensor input, int? dim=None, bool keepdim=False, *, Tensor? out=None)",
     wrap(argmax(a.tensor(0), a.maybe_integer(1), a.flag(2))));
  OP(kBoth, "argmin(Tensor input, int? dim=None, bool keepdim=False, *, Tensor? out=None)",
     wrap(argmin(a.tensor(0), a.maybe_integer(1), a.flag(2))));
  OP(kBoth, "any(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None)",
     wrap(any(a.tensor(0), dims_or_all(a, 1), a.flag(2))));
  OP(kBoth, "all(Tensor input, int[1]? dim=None, bool keepdim=False, *, Tensor? out=None)",
     wrap(all(a.tensor(0), dims_or_all(a, 1), a.flag(2))));
  OP(kBoth,
     "norm(Tensor input, object? p='fro', int[1]? dim=None, bool keepdim=False, dtype? dtype=None, Tensor? out=None)",
     [&] {
       double p = 2;
       if (PyUnicode_Check(a.object(1))) {
         const std::string name = a.str(1);
         if (name == "nuc") fail(ErrorKind::NotImplemented, "norm(): the nuclear norm is not implemented in gradcore");
         check(name == "fro", "norm(): p must be a number, 'fro' or 'nuc', not '", name, "'");
       } else if (a.given(1)) {
         p = a.number(1);
       }
       return wrap(norm(a.tensor(0), p, dims_or_all(a, 2), a.flag(3), a.maybe_dtype(4)));
     }());
  OP(kBoth, "logsumexp(Tensor input, int[1] dim, bool keepdim=False, *, Tensor? out=None)",
     wrap(logsumexp(a.tensor(0), a.dims(1), a.flag(2))));
  OP(kBoth, "isclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False)",
     wrap(isclose(a.tensor(0), a.tensor(1), a.number(2), a.number(3), a.flag(4))));
  OP(kBoth, "allclose(Tensor input, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False)", [&] {
    const Tensor close = isclose(a.tensor(0), a.tensor(1), a.number(2), a.number(3), a.flag(4));
    return boolean(*all(close, {}, false).data<uint8_t>() != 0);
  }());
  OP(kBoth, "count_nonzero(Tensor input, int[1]? dim=None)", wrap(count_nonzero(a.tensor(0), dims_or_all(a, 1))));
  OP(kBoth, "softmax(Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None)",
     wrap(softmax(a.tensor(0), a.integer(1), a.maybe_dtype(2))));
  OP(kBoth, "log_softmax(Tensor input, int dim, dtype? dtype=None, *, Tensor? out=None)",
     wrap(log_softmax(a.tensor(0), a.integer(1), a.maybe_dtype(2))));
  OP(kBoth, "cumsum(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None)",
     wrap(cumsum(a.tensor(0), a.integer(1), a.maybe_dtype(2))));
  VOID_OP(kMethod, "cumsum_(Tensor input, int dim, *, dtype? dtype=None)", cumulate_(a, cumsum));
  VOID_OP(kMethod, "cumprod_(Tensor input, int dim, *, dtype? dtype=None)", cumulate_(a, cumprod));
  OP(kBoth, "cumprod(Tensor input, int dim, *, dtype? dtype=None, Tensor? out=None)",
     wrap(cumprod(a.tensor(0), a.integer(1), a.maybe_dtype(2))));
}

void register_matmul() {
  OP(kBoth, "matmul(Tensor input, Tensor other, *, Tensor? out=None)", wrap(matmul(a.tensor(0), a.tensor(1))));
  OP(kBoth, "mm(Tensor input, Tensor mat2, *, Tensor? out=None)", wrap(mm(a.tensor(0), a.tensor(1))));
  OP(kBoth, "bmm(Tensor input, Tensor mat2, *, Tensor? out=None)", wrap(bmm(a.tensor(0), a.tensor(1))));
  OP(kBoth, "mv(Tensor input, Tensor vec, *, Tensor? out=None)", wrap(mv(a.tensor(0), a.tensor(1))));
  OP(kBoth, "dot(Tensor input, Tensor tensor, *, Tensor? out=None)", wrap(dot(a.tensor(0), a.tensor(1))));
  OP(kBoth, "outer(Tensor input, Tensor vec2, *, Tensor? out=None)", wrap(outer(a.tensor(0), a.tensor(1))));
  VOID_OP(kMethod, "addmm_(Tensor input, Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1)",
          copy_(a.tensor(0), addmm(clone(a.tensor(0)), a.tensor(1), a.tensor(2), a.scalar(3), a.scalar(4))));
  OP(kBoth, "addmm(Tensor input, Tensor mat1, Tensor mat2, *, Number beta=1, Number alpha=1, Tensor? out=None)",
     wrap(addmm(a.tensor(0), a.tensor(1), a.tensor(2), a.scalar(3), a.scalar(4))));
}

void register_views() {
  OP(kMethod, "view(Tensor input, dtype dtype)", wrap(view_dtype(a.tensor(0), a.dtype(1, DType::Float32))));
  OP(kMethod, "view(Tensor input, int[] size)", wrap(view(a.tensor(0), a.dims(1))));
  OP(kMethod, "view_as(Tensor input, Tensor other)", wrap(view(a.tensor(0), a.tensor(1).shape())));
  OP(kBoth, "reshape(Tensor input, int[] shape)", wrap(reshape(a.tensor(0), a.dims(1))));
  OP(kMethod, "reshape_as(Tensor input, Tensor other)", wrap(reshape(a.tensor(0), a.tensor(1).shape())));
  OP(kBoth, "flatten(Tensor input, int start_dim=0, int end_dim=-1)",
     wrap(flatten(a.tensor(0), a.integer(1), a.integer(2))));
  OP(kBoth, "ravel(Tensor input)", wrap(view(contiguous(a.tensor(0)), Dims{-1})));
  OP(kBoth, "unflatten(Tensor input, int dim, int[] sizes)", wrap(unflatten(a.tensor(0), a.integer(1), a.dims(2))));
  for (const char* text : {"transpose(Tensor input, int dim0, int dim1)", "swapdims(Tensor input, int dim0, int dim1)",
                           "swapaxes(Tensor input, int axis0, int axis1)"})
    register_op(kBoth, text,
                [](Args& a) -> PyObject* { return wrap(transpose(a.tensor(0), a.integer(1), a.integer(2))); });
  OP(kBoth, "t(Tensor input)", wrap(t(a.tensor(0))));
  OP(kBoth, "permute(Tensor input, int[] dims)", wrap(permute(a.tensor(0), a.dims(1))));
  for (const char* name : {"movedim", "moveaxis"})
    register_op(kBoth, str_cat(name, "(Tensor input, int[1] source, int[1] destination)").c_str(),
                [](Args& a) -> PyObject* { return wrap(movedim(a.tensor(0), a.dims(1), a.dims(2))); });
  OP(kBoth, "squeeze(Tensor input)", wrap(squeeze(a.tensor(0))));
  OP(kBoth, "squeeze(Tensor input, int[1] dim)", wrap(squeeze(a.tensor(0), a.dims(1))));
  OP(kBoth, "unsqueeze(Tensor input, int dim)", wrap(unsqueeze(a.tensor(0), a.integer(1))));
  OP(kMethod, "expand(Tensor input, int[] size)", wrap(expand(a.tensor(0), a.dims(1))));
  OP(kMethod, "expand_as(Tensor input, Tensor other)", wrap(expand(a.tensor(0), a.tensor(1).shape())));
  OP(kFunction, "broadcast_to(Tensor input, int[] size)", wrap(expand(a.tensor(0), a.dims(1))));
  OP(kMethod, "broadcast_to(Tensor input, int[] size)", wrap(expand(a.tensor(0), a.dims(1))));
  OP(kBoth, "select(Tensor input, int dim, int index)", wrap(select(a.tensor(0), a.integer(1), a.integer(2))));
  OP(kBoth, "narrow(Tensor input, int dim, int start, int length)",
     wrap(narrow(a.tensor(0), a.integer(1), a.integer(2), a.integer(3))));
  OP(kBoth, "diagonal(Tensor input, int offset=0, int dim1=0, int dim2=1)",
     wrap(diagonal(a.tensor(0), a.integer(1), a.integer(2), a.integer(3))));
  OP(kBoth, "as_strided(Tensor input, int[] size, int[] stride, int? storage_offset=None)",
     wrap(as_strided(a.tensor(0), a.dims(1), a.dims(2), a.maybe_integer(3))));
  OP(kBoth, "unbind(Tensor input, int dim=0)", wrap_tuple(unbind(a.tensor(0), a.integer(1))));
  // torch's function has other names for its arguments than the method.
  for (const bool method : {false, true}) {
    const OpKind kind = method ? kMethod : kFunction;
    const char* first = method ? "Tensor input, " : "Tensor tensor, ";
    const char* second = method ? " split_size, int dim=0)" : " split_size_or_sections, int dim=0)";
    register_op(kind, str_cat("split(", first, "int", second).c_str(),
                [](Args& a) -> PyObject* { return wrap_tuple(split(a.tensor(0), a.integer(1), a.integer(2))); });
    register_op(kind, str_cat("split(", first, "int[]", second).c_str(),
                [](Args& a) -> PyObject* { return wrap_tuple(split(a.tensor(0), a.dims(1), a.integer(2))); });
  }
  OP(kBoth, "split_with_sizes(Tensor input, int[] split_sizes, int dim=0)",
     wrap_tuple(split(a.tensor(0), a.dims(1), a.integer(2))));
  OP(kBoth, "chunk(Tensor input, int chunks, int dim=0)", wrap_tuple(chunk(a.tensor(0), a.integer(1), a.integer(2))));
  VOID_OP(kMethod, "t_(Tensor input)", become_view(a.tensor(0), t(a.tensor(0))));
  for (const char* text :
       {"transpose_(Tensor input, int dim0, int dim1)", "swapdims_(Tensor input, int dim0, int dim1)",
        "swapaxes_(Tensor input, int axis0, int axis1)"})
    register_op(kMethod, text, [](Args& a) -> PyObject* {
      become_view(a.tensor(0), transpose(a.tensor(0), a.integer(1), a.integer(2)));
      return self_of(a);
    });
  VOID_OP(kMethod, "squeeze_(Tensor input)", become_view(a.tensor(0), squeeze(a.tensor(0))));
  VOID_OP(kMethod, "squeeze_(Tensor input, int[1] dim)", become_view(a.tensor(0), squeeze(a.tensor(0), a.dims(1))));
  VOID_OP(kMethod, "unsqueeze_(Tensor input, int dim)", become_view(a.tensor(0), unsqueeze(a.tensor(0), a.integer(1))));
  VOID_OP(kBoth, "as_strided_(Tensor input, int[] size, int[] stride, int? storage_offset=None)",
          become_view(a.tensor(0), as_strided(a.tensor(0), a.dims(1), a.dims(2), a.maybe_integer(3))));
  VOID_OP(kMethod, "set_(Tensor input)", set_(a.tensor(0), empty(Dims{0}, a.tensor(0).dtype())));
  VOID_OP(kMethod, "set_(Tensor input, Tensor source)", set_(a.tensor(0), a.tensor(1)));
  VOID_OP(kMethod, "set_(Tensor input, Tensor source, int storage_offset, int[] size, int[]? stride=None)",
          set_(a.tensor(0), checked_window(a.tensor(1), a.dims(3),
                                           a.given(4) ? a.dims(4) : contiguous_strides(a.dims(3)), a.integer(2))));
  OP(kMethod, "contiguous(Tensor input, *, object? memory_format=None)",
     (wants_contiguous(a, 1), wrap(contiguous(a.tensor(0)))));
  OP(kBoth, "clone(Tensor input, *, object? memory_format=None)", wrap(clone(a.tensor(0), wants_contiguous(a, 1))));
  OP(kBoth, "detach(Tensor input)", wrap(detach(a.tensor(0))));
  VOID_OP(kBoth, "detach_(Tensor input)", [&] {
    refuse_captured(a.tensor(0));
    detach_(a.tensor(0));
  }());
  VOID_OP(kMethod, "copy_(Tensor input, Operand src, bool non_blocking=False)", [&] {
    if (is_tensor(a.object(1))) return copy_(a.tensor(0), a.tensor(1));
    copy_(a.tensor(0), scalar_tensor(a.scalar(1), a.scalar(1).dtype(default_dtype())));
  }());
  VOID_OP(kMethod, "fill_(Tensor input, Operand value)", fill_(a.tensor(0), OperandArg(a, 1)));
  VOID_OP(kMethod, "fill_diagonal_(Tensor input, Number fill_value, bool wrap=False)",
          fill_diagonal_(a.tensor(0), a.scalar(1), a.flag(2)));
  VOID_OP(kMethod, "tril_(Tensor input, int diagonal=0)", copy_(a.tensor(0), tril(clone(a.tensor(0)), a.integer(1))));
  VOID_OP(kMethod, "triu_(Tensor input, int diagonal=0)", copy_(a.tensor(0), triu(clone(a.tensor(0)), a.integer(1))));
  VOID_OP(kBoth, "zero_(Tensor input)", zero_(a.tensor(0)));
  OP(kBoth, "tril(Tensor input, int diagonal=0, *, Tensor? out=None)", wrap(tril(a.tensor(0), a.integer(1))));
  OP(kBoth, "triu(Tensor input, int diagonal=0, *, Tensor? out=None)", wrap(triu(a.tensor(0), a.integer(1))));
}

// Conversions.
Tensor converted(const Tensor& t, std::optional<DType> dtype, bool copy) {
  const DType to = dtype.value_or(t.dtype());
  if (to != t.dtype()) return cast(t, to);
  return copy ? clone(t) : t;
}
PyObject* converted_or_self(Args& a, std::optional<DType> dtype, bool copy = false) {
  const Tensor t = a.tensor(0);
  const Tensor out = converted(t, dtype, copy);
  return out.is_same(t) ? self_of(a) : wrap(out);
}

void register_conversions() {
  OP(kMethod, "to(Tensor input, dtype dtype, bool non_blocking=False, bool copy=False, *, object? memory_format=None)",
     converted_or_self(a, a.maybe_dtype(1), a.flag(3)));
  OP(kMethod,
     "to(Tensor input, device? device=None, dtype? dtype=None, bool non_blocking=False, bool copy=False, *, object? "
     "memory_format=None)",
     [&] {
       check_device(a.object(1));
       return converted_or_self(a, a.maybe_dtype(2), a.flag(4));
     }());
  OP(kMethod, "to(Tensor input, Tensor other, bool non_blocking=False, bool copy=False)",
     converted_or_self(a, a.tensor(1).dtype(), a.flag(3)));
  OP(kMethod, "type_as(Tensor input, Tensor other)", converted_or_self(a, a.tensor(1).dtype()));
  OP(kMethod, "cpu(Tensor input)", self_of(a));
  OP(kMethod, "float(Tensor input)", converted_or_self(a, DType::Float32));
  OP(kMethod, "double(Tensor input)", converted_or_self(a, DType::Float64));
  OP(kMethod, "long(Tensor input)", converted_or_self(a, DType::Int64));
  OP(kMethod, "int(Tensor input)", converted_or_self(a, DType::Int32));
  OP(kMethod, "short(Tensor input)", converted_or_self(a, DType::Int16));
  OP(kMethod, "char(Tensor input)", converted_or_self(a, DType::Int8));
  OP(kMethod, "byte(Tensor input)", converted_or_self(a, DType::UInt8));
  OP(kMethod, "bool(Tensor input)", converted_or_self(a, DType::Bool));
  OP(kMethod, "size(Tensor input, int? dim=None)", [&] {
    const Tensor t = a.tensor(0);
    if (!a.given(1)) return wrap_shape(t.shape());
    return PyLong_FromLongLong(t.size(wrap_dim(a.integer(1), t.dim(), false)));
  }());
  OP(kMethod, "stride(Tensor input, int? dim=None)", [&] {
    const Tensor t = a.tensor(0);
    if (a.given(1)) return PyLong_FromLongLong(t.stride(wrap_dim(a.integer(1), t.dim(), false)));
    Owned out(checked(PyTuple_New(t.dim())));
    for (int i = 0; i < t.dim(); ++i) PyTuple_SET_ITEM(out.get(), i, PyLong_FromLongLong(t.stride(i)));
    return out.release();
  }());
  VOID_OP(kMethod, "requires_grad_(Tensor input, bool requires_grad=True)", [&] {
    check(
        !in_transform(),
        "You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs) inside "
        "of a function being transformed by a functorch transform. This is unsupported: please use func.grad, func.vjp "
        "and their relatives there instead.");
    set_requires_grad(a.tensor(0), a.flag(1));
  }());
  OP(kFunction, "numel(Tensor input)", PyLong_FromLongLong(a.tensor(0).numel()));
  OP(kFunction, "is_floating_point(Tensor input)", boolean(is_floating(a.tensor(0).dtype())));
  OP(kFunction, "is_inference(Tensor input)", boolean(a.tensor(0)->created_in.inference()));
  OP(kFunction, "is_tensor(object? obj)", boolean(is_tensor(a.object(0))));
  OP(kBoth, "equal(Tensor input, Tensor other)", [&] {
    const Tensor x = a.tensor(0), y = a.tensor(1);
    if (!same_shape(x, y)) return boolean(false);
    const NoRecordGuard off;
    return boolean(*all(eq(x, y), {}, false).data<uint8_t>() != 0);
  }());
}

void register_joins_and_indexing() {
  for (const char* name : {"cat", "concat", "concatenate"})
    register_op(kFunction, str_cat(name, "(Tensor[] tensors, int dim=0, *, Tensor? out=None)").c_str(),
                [](Args& a) -> PyObject* {
                  const std::vector<Tensor> parts = a.tensors(0);
                  return wrap(cat(parts, a.integer(1)));
                });
  OP(kFunction, "stack(Tensor[] tensors, int dim=0, *, Tensor? out=None)", wrap(stack(a.tensors(0), a.integer(1))));
  OP(kBoth, "flip(Tensor input, int[] dims)", wrap(flip(a.tensor(0), a.dims(1))));
  OP(kBoth, "roll(Tensor input, int[1] shifts, int[1]? dims=None)",
     wrap(roll(a.tensor(0), a.dims(1), a.given(2) ? a.dims(2) : Dims())));
  OP(kMethod, "repeat(Tensor input, int[] repeats)", wrap(repeat(a.tensor(0), a.dims(1))));
  OP(kBoth, "tile(Tensor input, int[] dims)", [&] {
    Dims repeats = a.dims(1);
    while (repeats.size() < a.tensor(0).dim()) repeats.insert(0, 1);
    return wrap(repeat(a.tensor(0), repeats));
  }());
  OP(kBoth, "index_select(Tensor input, int dim, Tensor index, *, Tensor? out=None)",
     wrap(index_select(a.tensor(0), a.integer(1), a.tensor(2))));
  OP(kBoth, "gather(Tensor input, int dim, Tensor index, *, bool sparse_grad=False, Tensor? out=None)",
     wrap(gather(a.tensor(0), a.integer(1), a.tensor(2))));
  OP(kBoth, "scatter(Tensor input, int dim, Tensor index, Operand src, *, Tensor? out=None)",
     wrap(scatter(a.tensor(0), a.integer(1), a.tensor(2), OperandArg(a, 3))));
  OP(kBoth, "scatter(Tensor input, int dim, Tensor index, Number value, *, Tensor? out=None)",
     wrap(scatter(a.tensor(0), a.integer(1), a.tensor(2), OperandArg(a, 3))));
  VOID_OP(kMethod, "scatter_(Tensor input, int dim, Tensor index, Operand src)",
          scatter_(a.tensor(0), a.integer(1), a.tensor(2), OperandArg(a, 3)));
  VOID_OP(kMethod, "scatter_(Tensor input, int dim, Tensor index, Number value)",
          scatter_(a.tensor(0), a.integer(1), a.tensor(2), OperandArg(a, 3)));
  OP(kBoth, "scatter_add(Tensor input, int dim, Tensor index, Tensor src, *, Tensor? out=None)",
     wrap(scatter_add(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3))));
  VOID_OP(kMethod, "scatter_add_(Tensor input, int dim, Tensor index, Tensor src)",
          scatter_add_(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3)));
  OP(kBoth, "index_add(Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1, Tensor? out=None)",
     wrap(index_add(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3), a.scalar(4))));
  VOID_OP(kMethod, "index_add_(Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1)",
          index_add_(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3), a.scalar(4)));
  OP(kBoth, "index_copy(Tensor input, int dim, Tensor index, Tensor source, *, Tensor? out=None)",
     wrap(index_copy(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3))));
  VOID_OP(kMethod, "index_copy_(Tensor input, int dim, Tensor index, Tensor source)",
          index_copy_(a.tensor(0), a.integer(1), a.tensor(2), a.tensor(3)));
  OP(kBoth, "index_fill(Tensor input, int dim, Tensor index, Operand value)",
     wrap(index_fill(a.tensor(0), a.integer(1), a.tensor(2), OperandArg(a, 3))));
  VOID_OP(kMethod, "index_fill_(Tensor input, int dim, Tensor index, Operand value)",
          index_fill_(a.tensor(0), a.integer(1), a.tensor(2), OperandArg(a, 3)));
  OP(kBoth, "index_put(Tensor input, Tensor[] indices, Tensor values, bool accumulate=False)",
     wrap(index_put(a.tensor(0), a.tensors(1), a.tensor(2), a.flag(3))));
  VOID_OP(kBoth, "index_put_(Tensor input, Tensor[] indices, Tensor values, bool accumulate=False)",
          index_put_(a.tensor(0), a.tensors(1), a.tensor(2), a.flag(3)));
  OP(kBoth, "masked_select(Tensor input, Tensor mask, *, Tensor? out=None)",
     wrap(masked_select(a.tensor(0), a.tensor(1))));
  OP(kBoth, "nonzero(Tensor input, *, bool as_tuple=False, Tensor? out=None)",
     a.flag(1) ? places(a.tensor(0)) : wrap(nonzero(a.tensor(0))));
}

// Factories share their keyword tail. `k` is the position of dtype.
#define FACTORY \
  "dtype? dtype=None, object? layout=None, device? device=None, bool pin_memory=False, bool requires_grad=False)"
#define LIKE                                                                                                   \
  "*, dtype? dtype=None, object? layout=None, device? device=None, bool pin_memory=False, bool requires_grad=" \
  "False, object? memory_format=None)"

// What a factory of the LIKE kind models its result on; `k` is the position of dtype.
Tensor model(const Args& a, int k) {
  const NoRecordGuard off;
  return wants_contiguous(a, k + 5) ? contiguous(a.tensor(0)) : a.tensor(0);
}
DType model_dtype(const Args& a, int k) { return a.dtype(k, a.tensor(0).dtype()); }
PyObject* finish_like(const Args& a, int k, Tensor t) { return finish(std::move(t), a.flag(k + 4)); }

Levels levels_of_tensor(const Tensor& t) { return levels_of({&t}); }

PyObject* triangle_indices(Args& a, Tensor (*side)(const Tensor&, int64_t)) {
  const Tensor at = nonzero(side(ones(Dims{a.integer(0), a.integer(1)}, DType::Bool), a.integer(2)));
  const DType type = a.dtype(3, DType::Int64);
  if (is_floating(type) || type == DType::Bool)
    fail(ErrorKind::NotImplemented, "\"tril_indices\" not implemented for '", scalar_type_name(type), "'");
  return finish(cast(contiguous(t(at)), type), a.flag(7));
}

void register_factories() {
  OP(kFunction, "zeros(int[] size, *, Tensor? out=None, " FACTORY,
     finish(zeros(a.dims(0), a.dtype(2, default_dtype())), a.flag(6)));
  OP(kFunction, "ones(int[] size, *, Tensor? out=None, " FACTORY,
     finish(ones(a.dims(0), a.dtype(2, default_dtype())), a.flag(6)));
  OP(kFunction, "empty(int[] size, *, Tensor? out=None, object? memory_format=None, " FACTORY,
     finish(empty(a.dims(0), a.dtype(3, default_dtype())), a.flag(7)));
  OP(kFunction, "empty_strided(int[] size, int[] stride, *, " FACTORY,
     finish(empty_strided(a.dims(0), a.dims(1), a.dtype(2, default_dtype())), a.flag(6)));
  OP(kFunction, "full(int[] size, Number fill_value, *, Tensor? out=None, " FACTORY,
     finish(full(a.dims(0), a.scalar(1), a.dtype(3, a.scalar(1).dtype(default_dtype()))), a.flag(7)));
  OP(kFunction, "zeros_like(Tensor input, " LIKE, finish_like(a, 1, full_like(model(a, 1), 0, model_dtype(a, 1))));
  OP(kFunction, "ones_like(Tensor input, " LIKE, finish_like(a, 1, full_like(model(a, 1), 1, model_dtype(a, 1))));
  OP(kFunction, "empty_like(Tensor input, " LIKE, finish_like(a, 1, empty_like(model(a, 1), model_dtype(a, 1))));
  OP(kFunction, "full_like(Tensor input, Number fill_value, " LIKE,
     finish_like(a, 2, full_like(model(a, 2), a.scalar(1), model_dtype(a, 2))));
  OP(kFunction, "scalar_tensor(Number s, *, " FACTORY,
     finish(full(Dims(), a.scalar(0), a.dtype(1, default_dtype())), a.flag(5)));
  OP(kFunction, "arange(Number end, *, Tensor? out=None, " FACTORY,
     finish(arange(0, a.scalar(0), 1, a.maybe_dtype(2)), a.flag(6)));
  OP(kFunction, "arange(Number start, Number end, Number step=1, *, Tensor? out=None, " FACTORY,
     finish(arange(a.scalar(0), a.scalar(1), a.scalar(2), a.maybe_dtype(4)), a.flag(8)));
  OP(kFunction, "linspace(Number start, Number end, int steps, *, Tensor? out=None, " FACTORY,
     finish(linspace(a.scalar(0), a.scalar(1), a.integer(2), a.dtype(4, default_dtype())), a.flag(8)));
  OP(kFunction, "logspace(Number start, Number end, int steps, float base=10.0, *, Tensor? out=None, " FACTORY,
     finish(logspace(a.scalar(0), a.scalar(1), a.integer(2), a.number(3), a.dtype(5, default_dtype())), a.flag(9)));
  for (const char* name : {"tril", "triu"})
    register_op(
        kFunction, str_cat(name, "_indices(int row, int col, int offset=0, *, " FACTORY).c_str(),
        name[3] == 'l' ? [](Args& a) -> PyObject* { return triangle_indices(a, tril); }
                       : [](Args& a) -> PyObject* { return triangle_indices(a, triu); });
  OP(kFunction, "eye(int n, int? m=None, *, Tensor? out=None, " FACTORY,
     finish(eye(a.integer(0), a.given(1) ? a.integer(1) : a.integer(0), a.dtype(3, default_dtype())), a.flag(7)));
  // new_*: the dtype of the tensor they are called on, and within vmap its batch.
  OP(kMethod,
     "new_tensor(Tensor input, object data, *, dtype? dtype=None, device? device=None, bool requires_grad=False)",
     finish(tensor_from_object(a.object(1), a.dtype(2, a.tensor(0).dtype())), a.flag(4)));
  OP(kMethod, "new_zeros(Tensor input, int[] size, *, " FACTORY,
     finish(full_batched(levels_of_tensor(a.tensor(0)), a.dims(1), 0, a.dtype(2, a.tensor(0).dtype())), a.flag(6)));
  OP(kMethod, "new_ones(Tensor input, int[] size, *, " FACTORY,
     finish(full_batched(levels_of_tensor(a.tensor(0)), a.dims(1), 1, a.dtype(2, a.tensor(0).dtype())), a.flag(6)));
  OP(kMethod, "new_empty(Tensor input, int[] size, *, " FACTORY,
     finish(empty_batched(levels_of_tensor(a.tensor(0)), a.dims(1), a.dtype(2, a.tensor(0).dtype())), a.flag(6)));
  OP(kMethod, "new_full(Tensor input, int[] size, Number fill_value, *, " FACTORY,
     finish(full_batched(levels_of_tensor(a.tensor(0)), a.dims(1), a.scalar(2), a.dtype(3, a.tensor(0).dtype())),
            a.flag(7)));
}

// Where fresh random numbers go: `like` gives the order of the memory.
Tensor to_draw(const Dims& shape, DType dtype, const Tensor& like = {}) {
  const Levels levels = levels_of_random_numbers();
  if (like && like.shape() == shape && levels.none() && !like->batch) return empty_like(like, dtype);
  return empty_batched(levels, shape, dtype);
}
Tensor drawn_uniform(Tensor t, Generator* g) {
  const NoRecordGuard off;
  uniform_(t, 0, 1, g);
  return t.as_new();
}
Tensor drawn_normal(Tensor t, Generator* g) {
  const NoRecordGuard off;
  normal_(t, 0, 1, g);
  return t.as_new();
}
Tensor drawn_integers(int64_t low, int64_t high, Tensor t, Generator* g) {
  check(low < high, "random_ expects 'from' to be less than 'to', but got from=", low, " >= to=", high);
  random_(t, low, high, g);
  return t.as_new();
}
Tensor to_draw_like(const Args& a, int k) { return to_draw(a.tensor(0).shape(), model_dtype(a, k), model(a, k)); }

void register_random() {
  OP(kFunction, "rand(int[] size, *, Generator? generator=None, Tensor? out=None, " FACTORY,
     finish(drawn_uniform(to_draw(a.dims(0), a.dtype(3, default_dtype()), a.tensor_or_none(2)), a.generator(1)),
            a.flag(7)));
  OP(kFunction, "randn(int[] size, *, Generator? generator=None, Tensor? out=None, " FACTORY,
     finish(drawn_normal(to_draw(a.dims(0), a.dtype(3, default_dtype()), a.tensor_or_none(2)), a.generator(1)),
            a.flag(7)));
  OP(kFunction, "rand_like(Tensor input, " LIKE, finish_like(a, 1, drawn_uniform(to_draw_like(a, 1), nullptr)));
  OP(kFunction, "randn_like(Tensor input, " LIKE, finish_like(a, 1, drawn_normal(to_draw_like(a, 1), nullptr)));
  OP(kFunction, "randint(int high, int[] size, *, Generator? generator=None, Tensor? out=None, " FACTORY,
     finish(drawn_integers(0, a.integer(0), to_draw(a.dims(1), a.dtype(4, DType::Int64), a.tensor_or_none(3)),
                           a.generator(2)),
            a.flag(8)));
  OP(kFunction, "randint(int low, int high, int[] size, *, Generator? generator=None, Tensor? out=None, " FACTORY,
     finish(drawn_integers(a.integer(0), a.integer(1),
                           to_draw(a.dims(2), a.dtype(5, DType::Int64), a.tensor_or_none(4)), a.generator(3)),
            a.flag(9)));
  OP(kFunction, "randint_like(Tensor input, int high, " LIKE,
     finish_like(a, 2, drawn_integers(0, a.integer(1), to_draw_like(a, 2), nullptr)));
  OP(kFunction, "randint_like(Tensor input, int low, int high, " LIKE,
     finish_like(a, 3, drawn_integers(a.integer(1), a.integer(2), to_draw_like(a, 3), nullptr)));
  OP(kFunction, "randperm(int n, *, Generator? generator=None, Tensor? out=None, " FACTORY,
     finish(randperm(a.integer(0), a.dtype(3, DType::Int64), a.generator(1)), a.flag(7)));
  VOID_OP(kMethod, "uniform_(Tensor input, float from=0.0, float to=1.0, *, Generator? generator=None)",
          uniform_(a.tensor(0), a.number(1), a.number(2), a.generator(3)));
  VOID_OP(kMethod, "normal_(Tensor input, float mean=0.0, float std=1.0, *, Generator? generator=None)",
          normal_(a.tensor(0), a.number(1), a.number(2), a.generator(3)));
  VOID_OP(kMethod, "random_(Tensor input, *, Generator? generator=None)", random_(a.tensor(0), {}, {}, a.generator(1)));
  VOID_OP(kMethod, "random_(Tensor input, int to, *, Generator? generator=None)",
          random_(a.tensor(0), 0, a.integer(1), a.generator(2)));
  VOID_OP(kMethod, "random_(Tensor input, int from, int? to, *, Generator? generator=None)",
          random_(a.tensor(0), a.integer(1), a.maybe_integer(2), a.generator(3)));
}

// As torch.return_types has it.
PyObject* pair(const char* op, ValuesIndices r) {
  static PyObject* module = import_module("gradcore.return_types").release().ptr();
  const Owned type(checked(PyObject_GetAttrString(module, op)));
  const Owned both(wrap_tuple({std::move(r.values), std::move(r.indices)}));
  return checked(PyObject_CallOneArg(type.get(), both.get()));
}

}  // namespace

void register_ops() {
  register_elementwise();
  register_reductions();
  register_matmul();
  register_views();
  register_conversions();
  register_joins_and_indexing();
  register_factories();
  register_random();
  register_foreach();
}

}  // namespace gradcore
