// Ops of complex numbers, for real tensors; and what would make a tensor of a dtype that gradcore has none of.
#include "ops/complex.h"

#include "bindings/dtype_names.h"
#include "bindings/ops/register.h"

namespace gradcore {

namespace {

constexpr auto itself = [](const Tensor& t) { return t; };
constexpr auto says_no = [](const Tensor&) { return false; };

template <Text name>
constexpr auto to_name_alone = [](const Tensor&, MemoryFormat) -> Tensor { fail_name_alone(name.view()); };
// The complex dtype that a real one would give.
[[noreturn]] void fail_complex_of(const Tensor& t) {
  fail_name_alone(t.dtype() == DType::Float64 ? "complex128" : "complex64");
}

constexpr OpRow kRows[] = {
    view_op("conj(Tensor input) -> Tensor", itself),
    view_op("resolve_conj(Tensor input) -> Tensor", itself, {.also = "resolve_neg"}),
    view_op("conj_physical(Tensor input, *, Tensor? out=None) -> Tensor", itself),
    view_op("conj_physical_(Tensor input) -> Tensor", fn<conj_physical_>),
    view_op("adjoint(Tensor input) -> Tensor", fn<adjoint>),
    view_op("real(Tensor input) -> Tensor", itself, {.kind = kFunction}),
    view_op("imag(Tensor input) -> Tensor", [](const Tensor&) -> Tensor { fail_imag(); }, {.kind = kFunction}),
    view_op("is_complex(Tensor input) -> bool", says_no, {.kind = kFunction}),
    view_op("is_conj(Tensor input) -> bool", says_no, {.also = "is_neg"}),
    view_op("is_signed(Tensor input) -> bool", [](const Tensor& t) { return info_of(t.dtype()).is_signed; }),
    op("isreal(Tensor input) -> Tensor", fn<isreal>),
    op("view_as_real(Tensor input) -> Tensor",
       [](const Tensor&) -> Tensor { fail("view_as_real is only supported for complex tensors"); },
       {.kind = kFunction}),

    op("chalf(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_name_alone<"complex32">,
       {.kind = kMethod}),
    op("cfloat(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_name_alone<"complex64">,
       {.kind = kMethod}),
    op("cdouble(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_name_alone<"complex128">,
       {.kind = kMethod}),
    op("complex(Tensor real, Tensor imag, *, Tensor? out=None) -> Tensor",
       [](const Tensor& real, const Tensor&) -> Tensor { fail_complex_of(real); }, {.kind = kFunction}),
    op("polar(Tensor abs, Tensor angle, *, Tensor? out=None) -> Tensor",
       [](const Tensor& abs, const Tensor&) -> Tensor { fail_complex_of(abs); }, {.kind = kFunction}),
    op("view_as_complex(Tensor input) -> Tensor", [](const Tensor& t) -> Tensor { fail_complex_of(t); },
       {.kind = kFunction}),
    op("view_as_complex_copy(Tensor input, *, Tensor? out=None) -> Tensor",
       [](const Tensor& t) -> Tensor { fail_complex_of(t); }, {.kind = kFunction}),
    op("view_as_real_copy(Tensor input, *, Tensor? out=None) -> Tensor",
       [](const Tensor&) -> Tensor { fail("view_as_real is only supported for complex tensors"); },
       {.kind = kFunction}),

    // ---- what gives complex numbers
    op("stft(Tensor input, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool "
       "center=True, str pad_mode='reflect', bool normalized=False, bool? onesided=None, bool? return_complex=None, "
       "bool? align_to_window=None) -> Tensor",
       [](const Tensor&, int64_t, std::optional<int64_t>, std::optional<int64_t>, const Tensor&, bool, std::string_view,
          bool, std::optional<bool>, std::optional<bool>, std::optional<bool>) -> Tensor {
         fail(ErrorKind::NotImplemented,
              "stft: its result is complex, and gradcore has no complex numbers. scipy.signal.stft computes it from "
              "a NumPy array");
       }),
    op("istft(Tensor input, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, bool "
       "center=True, bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> "
       "Tensor",
       [](const Tensor&, int64_t, std::optional<int64_t>, std::optional<int64_t>, const Tensor&, bool, bool,
          std::optional<bool>, std::optional<int64_t>, bool) -> Tensor {
         fail(ErrorKind::NotImplemented,
              "istft: its argument is complex, and gradcore has no complex numbers. scipy.signal.istft computes it "
              "from a NumPy array");
       }),
    op("_linalg_eig(Tensor A, *, Tensor[]? out=None) -> (Tensor eigenvalues, Tensor eigenvectors)",
       [](const Tensor&) -> Named {
         fail(ErrorKind::NotImplemented,
              "linalg.eig: eigenvalues of a general matrix are complex, and gradcore has no complex numbers. Use "
              "linalg.eigh for a symmetric matrix, numpy.linalg.eig for another one");
       },
       {.kind = kFunction}),
    op("_linalg_eigvals(Tensor A, *, Tensor? out=None) -> Tensor",
       [](const Tensor&) -> Tensor {
         fail(ErrorKind::NotImplemented,
              "linalg.eigvals: eigenvalues of a general matrix are complex, and gradcore has no complex numbers. Use "
              "linalg.eigvalsh for a symmetric matrix, numpy.linalg.eigvals for another one");
       },
       {.kind = kFunction}),
};

}  // namespace

void register_complex() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
