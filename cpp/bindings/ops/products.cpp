// Products that are added to a tensor, products made of others, distances; differences and integrals.
#include "ops/products.h"
#include "bindings/ops/register.h"
#include "core/warning.h"
#include "ops/differences.h"
#include "ops/distance.h"
#include "ops/matmul_add.h"

namespace gradcore {

namespace {

Tensor cross_that_warns(const Tensor& a, const Tensor& b, const std::optional<int64_t>& dim) {
  static std::atomic<bool> warned = false;
  if (!dim)
    warn_once(warned,
              "Using torch.cross without specifying the dim arg is deprecated. Pass the dim, or use linalg.cross, "
              "which takes the last one.");
  return cross(a, b, dim);
}
Tensor chain_matmul_that_warns(std::span<const Tensor> matrices) {
  static std::atomic<bool> warned = false;
  warn_once(warned, "torch.chain_matmul is deprecated. Use torch.linalg.multi_dot instead, which takes a list.");
  return chain_matmul(matrices);
}

Tensor cdist_by_name(const Tensor& a, const Tensor& b, double p, PyObject* mode) {
  if (mode == Py_None) return cdist(a, b, p, CdistMode::ProductIfMany);
  const Owned text(checked(PyObject_Str(mode)));
  return cdist(a, b, p, cdist_mode(utf8(text.get())));
}

constexpr auto trapezoid_over = [](const Tensor& y, const Tensor& x, int64_t dim) { return trapezoid(y, x, dim); };
constexpr auto trapezoid_by = [](const Tensor& y, const Scalar& dx, int64_t dim) { return trapezoid(y, dx, dim); };

// ---- the factors before the tensors that they belong to, as old programs give them

const Scalar kOne(int64_t{1});

template <auto f>
constexpr auto with_both = [](const Tensor& t, const Scalar& beta, const Scalar& alpha, const Tensor& a,
                              const Tensor& b) { return f(t, a, b, beta, alpha); };
template <auto f>
constexpr auto with_beta =
    [](const Tensor& t, const Scalar& beta, const Tensor& a, const Tensor& b) { return f(t, a, b, beta, kOne); };
template <auto f>
constexpr auto beta_first = [](const Scalar& beta, const Tensor& t, const Scalar& alpha, const Tensor& a,
                               const Tensor& b) { return f(t, a, b, beta, alpha); };
template <auto f>
constexpr auto beta_alone_first =
    [](const Scalar& beta, const Tensor& t, const Tensor& a, const Tensor& b) { return f(t, a, b, beta, kOne); };

// Of one op: the functions, the methods and those in place.
#define GC_OLD_FORMS(name, a, b)                                                                                       \
  op(#name "(Number beta, Tensor input, Number alpha, Tensor " a ", Tensor " b ") -> Tensor", beta_first<name>,        \
     {.kind = kFunction, .old = true}),                                                                                \
      op(#name "(Number beta, Tensor input, Tensor " a ", Tensor " b ") -> Tensor", beta_alone_first<name>,            \
         {.kind = kFunction, .old = true}),                                                                            \
      op(#name "(Tensor input, Number beta, Number alpha, Tensor " a ", Tensor " b ") -> Tensor", with_both<name>,     \
         {.kind = kMethod, .old = true}),                                                                              \
      op(#name "(Tensor input, Number beta, Tensor " a ", Tensor " b ") -> Tensor", with_beta<name>,                   \
         {.kind = kMethod, .old = true}),                                                                              \
      op(#name "_(Tensor input, Number beta, Number alpha, Tensor " a ", Tensor " b ") -> Tensor", with_both<name##_>, \
         {.kind = kMethod, .old = true}),                                                                              \
      op(#name "_(Tensor input, Number beta, Tensor " a ", Tensor " b ") -> Tensor", with_beta<name##_>,               \
         {.kind = kMethod, .old = true})

constexpr OpRow kOldForms[] = {
    GC_OLD_FORMS(addmm, "mat1", "mat2"),      GC_OLD_FORMS(addmv, "mat", "vec"),
    GC_OLD_FORMS(addr, "vec1", "vec2"),       GC_OLD_FORMS(baddbmm, "batch1", "batch2"),
    GC_OLD_FORMS(addbmm, "batch1", "batch2"),
};
#undef GC_OLD_FORMS

constexpr OpRow kRows[] = {
    op("addmv(Tensor input, Tensor mat, Tensor vec, *, Number beta=1, Number alpha=1, Tensor? out=None) -> Tensor",
       fn<addmv>, {.out = Out::Exact}),
    op("addmv_(Tensor input, Tensor mat, Tensor vec, *, Number beta=1, Number alpha=1) -> Tensor", fn<addmv_>),
    op("addr(Tensor input, Tensor vec1, Tensor vec2, *, Number beta=1, Number alpha=1, Tensor? out=None) -> Tensor",
       fn<addr>),
    op("addr_(Tensor input, Tensor vec1, Tensor vec2, *, Number beta=1, Number alpha=1) -> Tensor", fn<addr_>,
       {.kind = kMethod}),
    op("baddbmm(Tensor input, Tensor batch1, Tensor batch2, *, Number beta=1, Number alpha=1, Tensor? out=None) -> "
       "Tensor",
       fn<baddbmm>, {.out = Out::Exact}),
    op("baddbmm_(Tensor input, Tensor batch1, Tensor batch2, *, Number beta=1, Number alpha=1) -> Tensor", fn<baddbmm_>,
       {.kind = kMethod}),
    op("addbmm(Tensor input, Tensor batch1, Tensor batch2, *, Number beta=1, Number alpha=1, Tensor? out=None) -> "
       "Tensor",
       fn<addbmm>, {.out = Out::Exact}),
    op("addbmm_(Tensor input, Tensor batch1, Tensor batch2, *, Number beta=1, Number alpha=1) -> Tensor", fn<addbmm_>,
       {.kind = kMethod}),

    op("kron(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", fn<kron>),
    op("inner(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", fn<inner>, {.out = Out::ExactOfDims}),
    op("vdot(Tensor input, Tensor other, *, Tensor? out=None) -> Tensor", fn<dot>, {.out = Out::Exact}),
    op("cross(Tensor input, Tensor other, int? dim=None, *, Tensor? out=None) -> Tensor", fn<cross_that_warns>,
       {.out = Out::Exact}),
    op("_linalg_cross(Tensor input, Tensor other, *, int dim=-1, Tensor? out=None) -> Tensor", fn<linalg_cross>,
       {.kind = kFunction, .out = Out::Exact}),
    op("chain_matmul(Tensor... matrices, *, Tensor? out=None) -> Tensor", fn<chain_matmul_that_warns>,
       {.kind = kFunction, .halves = Halves::Native}),
    op("cdist(Tensor x1, Tensor x2, float p=2.0, object? compute_mode=None) -> Tensor", fn<cdist_by_name>,
       {.kind = kFunction, .autocast = Autocast::Float32, .refuses_halves = "cdist"}),
    op("pdist(Tensor input, float p=2.0) -> Tensor", fn<pdist>, {.kind = kFunction, .refuses_halves = "pdist"}),
    op("cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor", fn<cosine_similarity>,
       {.kind = kFunction, .halves = Halves::Native}),
    op("dist(Tensor input, Tensor other, float p=2.0) -> Tensor", fn<dist>),

    op("diff(Tensor input, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None, *, Tensor? out=None) -> "
       "Tensor",
       fn<diff>, {.halves = Halves::Native}),
    op("trapezoid(Tensor y, Tensor x, *, int dim=-1) -> Tensor", trapezoid_over, {.kind = kFunction, .also = "trapz"}),
    op("trapezoid(Tensor y, *, Number dx=1, int dim=-1) -> Tensor", trapezoid_by, {.kind = kFunction, .also = "trapz"}),
    op("cumulative_trapezoid(Tensor y, Tensor x, *, int dim=-1) -> Tensor",
       [](const Tensor& y, const Tensor& x, int64_t dim) { return cumulative_trapezoid(y, x, dim); },
       {.kind = kFunction}),
    op("cumulative_trapezoid(Tensor y, *, Number dx=1, int dim=-1) -> Tensor",
       [](const Tensor& y, const Scalar& dx, int64_t dim) { return cumulative_trapezoid(y, dx, dim); },
       {.kind = kFunction}),
    op("cov(Tensor input, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor", fn<cov>),
    op("corrcoef(Tensor input) -> Tensor", fn<corrcoef>),
    op("renorm(Tensor input, float p, int dim, float maxnorm, *, Tensor? out=None) -> Tensor", fn<renorm>,
       {.out = Out::Exact}),
    op("renorm_(Tensor input, float p, int dim, float maxnorm) -> Tensor", fn<renorm_>, {.kind = kMethod}),
};

}  // namespace

void register_products() {
  register_rows(kRows);
  register_rows(kOldForms);
}

}  // namespace gradcore
