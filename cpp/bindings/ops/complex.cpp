// Ops of complex numbers, for real tensors; and what would make a tensor of a dtype that gradcore has none of.
#include "ops/complex.h"

#include "bindings/dtype_names.h"
#include "bindings/ops/register.h"

namespace gradcore {

namespace {

constexpr auto itself = [](const Tensor& t) { return t; };
constexpr auto says_no = [](const Tensor&) { return false; };

template <Text name> constexpr auto to_name_alone = [](const Tensor&) -> Tensor { fail_name_alone(name.view()); };
// The complex dtype that a real one would give.
[[noreturn]] void fail_complex_of(const Tensor& t) {
  fail_name_alone(t.dtype() == DType::Float64 ? "complex128" : "complex64");
}

constexpr OpRow kRows[] = {
    view_op("conj(Tensor input) -> Tensor", itself),
    view_op("resolve_conj(Tensor input) -> Tensor", itself, {.also = "resolve_neg"}),
    view_op("conj_physical(Tensor input) -> Tensor", itself),
    view_op("conj_physical_(Tensor input) -> Tensor", fn<conj_physical_>, {.kind = kMethod}),
    view_op("adjoint(Tensor input) -> Tensor", fn<adjoint>),
    view_op("real(Tensor input) -> Tensor", itself, {.kind = kFunction}),
    view_op("imag(Tensor input) -> Tensor", [](const Tensor&) -> Tensor { fail_imag(); }, {.kind = kFunction}),
    view_op("is_complex(Tensor input) -> bool", says_no, {.kind = kFunction}),
    view_op("is_conj(Tensor input) -> bool", says_no, {.also = "is_neg"}),
    view_op("is_signed(Tensor input) -> bool", [](const Tensor& t) { return info_of(t.dtype()).is_signed; }),
    op("angle(Tensor input, *, Tensor? out=None) -> Tensor", fn<angle>),
    op("isreal(Tensor input) -> Tensor", fn<isreal>),
    op("view_as_real(Tensor input) -> Tensor",
       [](const Tensor&) -> Tensor { fail("view_as_real is only supported for complex tensors"); },
       {.kind = kFunction}),

    op("chalf(Tensor input) -> Tensor", to_name_alone<"complex32">, {.kind = kMethod}),
    op("cfloat(Tensor input) -> Tensor", to_name_alone<"complex64">, {.kind = kMethod}),
    op("cdouble(Tensor input) -> Tensor", to_name_alone<"complex128">, {.kind = kMethod}),
    op("complex(Tensor real, Tensor imag) -> Tensor",
       [](const Tensor& real, const Tensor&) -> Tensor { fail_complex_of(real); }, {.kind = kFunction}),
    op("polar(Tensor abs, Tensor angle) -> Tensor",
       [](const Tensor& abs, const Tensor&) -> Tensor { fail_complex_of(abs); }, {.kind = kFunction}),
    op("view_as_complex(Tensor input) -> Tensor", [](const Tensor& t) -> Tensor { fail_complex_of(t); },
       {.kind = kFunction}),
};

}  // namespace

void register_complex() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
