// What singular values decide: ranks, condition numbers, pseudo-inverses, least squares.
#include <cmath>
#include <limits>

#include "ops/linalg/matrices.h"

namespace gradcore::linalg {

namespace {

double epsilon(DType type) {
  return type == DType::Float32 ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
}

// Numbers for matrices, beside the dim of their singular values.
Tensor as_column(const Operand& o, DType type) {
  return o.is_tensor() ? unsqueeze(*o.tensor, -1) : full(Dims{1}, o.scalar, type);
}

// Up to which size a singular value counts as zero: max(atol, rtol * the largest). Without either, rtol is as many
// epsilons as the longer dim has; with a positive atol alone it is 0.
Tensor cut(const Tensor& values, int64_t longer, const Tolerance& atol, const Tolerance& rtol) {
  const DType type = values.dtype();
  const Tensor usual = full(Dims{1}, Scalar(epsilon(type) * static_cast<double>(longer)), type);
  const Tensor absolute = atol ? as_column(*atol, type) : Tensor();
  Tensor relative = rtol ? as_column(*rtol, type) : usual;
  if (!rtol && absolute) relative = where(gt(absolute, Scalar(0.0)), Scalar(0.0), usual);
  const Tensor from_largest = mul(relative, amax(values, Dims{-1}, true));
  return absolute ? maximum(absolute, from_largest) : from_largest;
}

// The pseudo-inverse from its factors: V S^-1 U', with zeros for the inverses of values that count as zero.
Tensor pinv_raw(const Tensor& a, const Tolerance& atol, const Tolerance& rtol, bool hermitian) {
  const NoRecordGuard off;
  const int64_t m = rows_of(a), n = columns_of(a);
  if (a.numel() == 0) return zeros(with(batch_of(a), {n, m}), a.dtype());
  const auto inverses = [&](const Tensor& values) {
    const Tensor sizes = abs(values);
    return where(gt(sizes, cut(sizes, std::max(m, n), atol, rtol)), reciprocal(values), Scalar(0.0));
  };
  if (hermitian) {
    const Named r = eigh(a, "L");
    return matmul(mul(r.parts[1], unsqueeze(inverses(r.parts[0]), -2)), mT(r.parts[1]));
  }
  const Named r = svd(a, false, {});
  return matmul(mul(mT(r.parts[2]), unsqueeze(inverses(r.parts[1]), -2)), mT(r.parts[0]));
}

// Golub and Pereyra (1973), of P = pinv(A): -P'gP' + (1 - AP) g'PP' + P'P g'(1 - PA).
Tensor pinv_gradient(const Tensor& a, const Tensor& p, const Tensor& g) {
  const Tensor pt = mT(p), gt = mT(g);
  const Tensor first = matmul(pt, matmul(g, pt));
  const Tensor gpp = matmul(gt, matmul(p, pt)), ppg = matmul(pt, matmul(p, gt));
  return add(sub(sub(gpp, matmul(a, matmul(p, gpp))), first), sub(ppg, matmul(matmul(ppg, p), a)));
}

struct PinvVjp {
  static constexpr const char* kName = "LinalgPinvBackward0";
  Saved a, p;
  SavedFields fields() { return {{"self", &a}, {"result", &p}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = pinv_gradient(a.unpack(&self), p.unpack(&self), g[0]);
  }
  auto saves() { return std::tie(a, p); }
};

// Of X = pinv(A) B, and of the sums of squares of A X - B: at the minimum they do not depend on how X changes.
struct LstsqVjp {
  static constexpr const char* kName = "LinalgLstsqBackward0";
  Saved a, b, x;
  bool vectors;
  SavedFields fields() { return {{"self", &a}, {"b", &b}, {"solution", &x}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const auto as_matrix = [&](const Tensor& t) { return vectors ? unsqueeze(t, -1) : t; };
    const Tensor matrix = a.unpack(&self), right = as_matrix(b.unpack(&self));
    Tensor ga, gb;
    if (g[0]) {
      const Tensor gx = as_matrix(g[0]), p = pinv(matrix, {}, {}, false);
      ga = pinv_gradient(matrix, p, matmul(gx, mT(right)));
      gb = matmul(mT(p), gx);
    }
    if (g[1] && g[1].numel()) {
      const Tensor solution = as_matrix(x.unpack(&self));
      const Tensor by = mul(mul(sub(matmul(matrix, solution), right), Scalar(2.0)), unsqueeze(g[1], -2));
      const Tensor more = matmul(by, mT(solution));
      ga = ga ? add(ga, more) : more;
      gb = gb ? sub(gb, by) : neg(by);
    }
    if (self.needs(0)) out[0] = ga;
    if (self.needs(1) && gb) out[1] = vectors ? squeeze(gb, Dims{-1}) : gb;
  }
  auto saves() { return std::tie(a, b, x); }
};

constexpr const char* kLstsq = "torch.linalg.lstsq";

void check_least_squares(const Tensor& a, const Tensor& b, std::string_view driver) {
  check(a.dim() >= 2, kLstsq, ": input must have at least 2 dimensions.");
  check(b.dim() >= 1, kLstsq, ": other must have at least 1 dimension.");
  check(a.dtype() == b.dtype(), kLstsq, ": Expected input and other to have the same dtype, but got input's dtype ",
        scalar_type_name(a.dtype()), " and other's dtype ", scalar_type_name(b.dtype()));
  need_floating(a, kLstsq);
  const bool known = driver == "gels" || driver == "gelsy" || driver == "gelsd" || driver == "gelss";
  check(known, kLstsq, ": parameter `driver` should be one of (gels, gelsy, gelsd, gelss)");
}

// ---- the few smallest singular values of triangles, which in the inverse are the largest

constexpr int64_t kFew = 8;

// Always the same n x kFew numbers, which look as if they were drawn.
Tensor start_of_iteration(int64_t n, DType type) {
  const Tensor i = arange(Scalar(int64_t{0}), Scalar(n * kFew), Scalar(int64_t{1}), DType::Float64);
  return cast(reshape(cos(mul(square(i), Scalar(0.754877666246693))), {n, kFew}), type);
}
// Orthonormal columns, which turn to the singular vectors that apply() makes longest.
template <class F> Tensor iterated(const Tensor& start, int steps, const F& apply) {
  Tensor x = start;
  for (int step = 0; step < steps; ++step) x = qr(apply(x), "reduced").parts[0];
  return x;
}
Tensor lengths(const Tensor& t) { return norm(t, 2.0, Dims{-2}, false, {}); }

// Of A with the triangle R = U S V'. Columns of u and v belong to `values`, which rise; they are as good as the next
// value is far away. What a triangle without an inverse gives is not finite: then there is no result.
struct SmallestValues {
  Tensor u, values, v, largest;

  SmallestValues(const Tensor& a, const Tensor& r) {
    const auto by_transpose = [&](const Tensor& x) { return solve_triangular(mT(r), x, false, true, false); };
    const int64_t n = columns_of(r);
    const Tensor start = expand(start_of_iteration(n, r.dtype()), with(batch_of(r), {n, kFew}));
    const Tensor x =
        iterated(start, 4, [&](const Tensor& t) { return solve_triangular(r, by_transpose(t), true, true, false); });
    const Tensor y = by_transpose(x);  // U / S
    const Tensor top =
        iterated(narrow(start, -1, 0, 1), 3, [&](const Tensor& t) { return matmul(mT(a), matmul(a, t)); });
    largest = lengths(matmul(a, top));
    if (!all_finite(y) || !all_finite(largest)) return;
    const Named f = svd(y, false, {});
    u = f.parts[0], values = reciprocal(f.parts[1]), v = matmul(x, mT(f.parts[2]));
  }
  explicit operator bool() const { return values.defined(); }

 private:
  static bool all_finite(const Tensor& t) { return *all(physical(isfinite(t)), {}, false).host<uint8_t>(); }
};

// Singular values that count as zero, where they are fewer than kFew, and what takes their vectors out of a sum.
struct Dropped {
  Tensor u, v, count;

  // Without a result where there may be more of them.
  static std::optional<Dropped> find(const Tensor& a, const Tensor& r, double rtol) {
    const SmallestValues s(a, r);
    if (!s) return {};
    const Tensor bound = mul(s.largest, Scalar(rtol)), next = narrow(s.values, -1, kFew - 1, 1);
    if (!*all(physical(gt(next, mul(bound, Scalar(2.0)))), {}, false).host<uint8_t>()) return {};
    const Tensor small = le(s.values, bound), one_or_none = unsqueeze(cast(small, r.dtype()), -2);
    return Dropped{mul(s.u, one_or_none), mul(s.v, one_or_none), sum(small, Dims{-1}, false, DType::Int64)};
  }
  static Tensor without(const Tensor& vectors, const Tensor& t) {
    return sub(t, matmul(vectors, matmul(mT(vectors), t)));
  }
};

// Q R of each matrix, or of its transpose where that is the taller one.
struct TallQr {
  bool tall;
  Tensor matrix, reflections, tau;
  Tensor r;  // the upper triangle of this

  explicit TallQr(const Tensor& a) : tall(rows_of(a) >= columns_of(a)), matrix(tall ? a : mT(a)) {
    const Named f = geqrf(matrix);
    reflections = f.parts[0], tau = f.parts[1];
    r = narrow(reflections, -2, 0, columns_of(reflections));
  }
  // Of matrices of full rank, or without the singular values that are dropped.
  Tensor solve(const Tensor& b, const Dropped* dropped = nullptr) const {
    const int64_t k = columns_of(r);
    const auto solved = [&](const Tensor& triangle, const Tensor& right, Tensor Dropped::* out, Tensor Dropped::* in) {
      const Tensor from = dropped ? Dropped::without(dropped->*in, right) : right;
      const Tensor y = solve_triangular(triangle, from, tall, true, false);
      return dropped ? Dropped::without(dropped->*out, y) : y;
    };
    if (tall) {
      const Tensor y = ormqr(reflections, tau, b, true, true);
      return solved(r, narrow(y, -2, 0, k), &Dropped::v, &Dropped::u);
    }
    const Tensor y = solved(mT(r), b, &Dropped::u, &Dropped::v);
    const Tensor rest = zeros(with(batch_of(y), {rows_of(reflections) - k, columns_of(y)}), y.dtype());
    return ormqr(reflections, tau, cat(std::array{y, rest}, -2), true, false);
  }
  bool has_zeros() const {
    const Tensor none = eq(diagonal_of(r), Scalar(0.0));
    return *any(physical(none), {}, false).host<uint8_t>();
  }
  // Whether no singular value of any matrix can be as small as `rtol` of its largest one. The smallest is at least 1
  // over Frobenius's norm of the inverse. The largest is at most that of A; or, which is closer and takes a product,
  // the root of that of A' A. False says nothing.
  bool surely_has_full_rank(double rtol) const {
    const auto size = [](const Tensor& t) { return norm(t, 2.0, Dims{-2, -1}, false, {}); };
    const auto within = [](const Tensor& t, double limit) {
      return *all(physical(lt(t, Scalar(limit))), {}, false).host<uint8_t>();
    };
    const double limit = 0.5 / rtol;
    const Tensor inverse = size(solve_triangular(r, expand(identity_like(r), r.shape()), true, true, false));
    return within(mul(size(matrix), inverse), limit) ||
           within(mul(size(matmul(mT(matrix), matrix)), square(inverse)), limit * limit);
  }
};

Tensor solve_by_qr(const Tensor& a, const Tensor& b) {
  const TallQr f(a);
  check(!f.has_zeros(), ErrorKind::LinAlg, kLstsq,
        ": The least squares solution could not be computed because the input matrix does not have full rank.");
  return f.solve(b);
}

struct Solved {
  Tensor x, rank, values;
};
enum class Driver : uint8_t { FullRank, AnyRank, SingularValues };

Solved least_squares(const Tensor& a, const Tensor& b, std::optional<double> rcond, Driver driver) {
  const NoRecordGuard off;
  const int64_t m = rows_of(a), n = columns_of(a);
  const Dims batch = batch_of(a);
  if (a.numel() == 0 || b.numel() == 0)
    return {zeros(with(batch, {n, columns_of(b)}), a.dtype()), zeros(batch, DType::Int64),
            zeros(with(batch, {std::min(m, n)}), a.dtype())};
  const auto full_rank = [&] { return full(batch, Scalar(std::min(m, n)), DType::Int64); };
  if (driver == Driver::FullRank) return {solve_by_qr(a, b), full_rank(), Tensor()};
  if (driver == Driver::AnyRank) {
    constexpr int64_t kMedium = 64, kLarge = 256;  // from where on the few smallest values take less time than all
    const TallQr f(a);
    const int64_t k = std::min(m, n);
    const double usual = epsilon(a.dtype()) * static_cast<double>(std::max(m, n));
    if (k < kLarge && f.surely_has_full_rank(std::max(rcond.value_or(usual), usual)))
      return {f.solve(b), full_rank(), Tensor()};
    if (k >= kMedium)
      if (const auto dropped = Dropped::find(f.matrix, f.r, rcond.value_or(usual)))
        return {f.solve(b, &*dropped), sub(Scalar(k), dropped->count), Tensor()};
  }
  const Named f = svd(a, false, {});
  const Tensor& s = f.parts[1];
  const Operand by(Scalar(rcond.value_or(0)));
  const Tensor counts = gt(s, cut(s, std::max(m, n), {}, rcond ? Tolerance(by) : Tolerance()));
  const Tensor inverses = where(counts, reciprocal(s), Scalar(0.0));
  const Tensor x = matmul(mT(f.parts[2]), mul(unsqueeze(inverses, -1), matmul(mT(f.parts[0]), b)));
  return {x, sum(counts, Dims{-1}, false, DType::Int64), s};
}

}  // namespace

Tensor pinv(const Tensor& a, const Tolerance& atol, const Tolerance& rtol, bool hermitian) {
  check(a.dim() >= 2 && is_floating(a.dtype()) && !is_half(a.dtype()), "linalg.pinv(", scalar_type_name(a.dtype()), "{",
        a.shape(), "}): expected a tensor with 2 or more dimensions of float, double, cfloat or cdouble types");
  if (hermitian) need_square(a, "linalg.pinv");
  const Tensor p = pinv_raw(a, atol, rtol, hermitian);
  if (should_record(a)) record(p, {&a}, PinvVjp{Saved(a), Saved::output(p)});
  return p;
}

Tensor matrix_rank(const Tensor& a, const Tolerance& atol, const Tolerance& rtol, bool hermitian) {
  constexpr const char* kOp = "torch.linalg.matrix_rank";
  need_matrix(a, kOp, "input");
  need_floating(a, kOp);
  if (hermitian) need_square(a, kOp);
  const NoRecordGuard off;
  if (rows_of(a) == 0 || columns_of(a) == 0) return zeros(batch_of(a), DType::Int64);
  const Tensor s = hermitian ? abs(eigvalsh(a, "L")) : svdvals(a, {});
  return sum(gt(s, cut(s, std::max(rows_of(a), columns_of(a)), atol, rtol)), Dims{-1}, false, DType::Int64);
}

Tensor cond(const Tensor& a, const std::optional<Order>& p) {
  check(a.dim() >= 2, "linalg.cond: The input tensor must have at least 2 dimensions.");
  need_floating(a, "linalg.cond");
  const Order ord = p.value_or(2.0);
  const double* const number = std::get_if<double>(&ord);
  if (number) {
    const double size = std::fabs(*number);
    check(size == 1 || size == 2 || std::isinf(size), "linalg.cond got an invalid norm type: ", *number);
  } else {
    const std::string_view name = std::get<std::string_view>(ord);
    check(name == "fro" || name == "nuc", "linalg.cond got an invalid norm type: ", name);
  }
  if (a.numel() == 0) return zeros(batch_of(a), a.dtype());
  if (number && std::fabs(*number) == 2) {
    const Tensor s = svdvals(a, {});
    const int64_t last = columns_of(s) - 1;
    const Tensor most = narrow(s, -1, 0, 1), least = narrow(s, -1, last, 1);
    return squeeze(*number > 0 ? div(most, least) : div(least, most), Dims{-1});
  }
  need_square(a, number ? str_cat("linalg.cond(ord=", *number, ")").c_str() : "linalg.cond");
  if (!number && std::get<std::string_view>(ord) == "nuc") {  // an inverse that is not finite has no singular values
    const Tensor s = svdvals(a, {});
    return mul(sum(s, Dims{-1}), sum(reciprocal(s), Dims{-1}));
  }
  const Named inverse = inv_ex(a, false);
  const Dims matrix{-2, -1};
  const Tensor both =
      mul(matrix_norm(inverse.parts[0], ord, matrix, false, {}), matrix_norm(a, ord, matrix, false, {}));
  // Nor is a matrix well-conditioned whose numbers are NaN.
  const Tensor no_inverse = logical_or(ne(inverse.parts[1], Scalar(0)), isnan(detach(both)));
  return masked_fill(both, no_inverse, Scalar(std::numeric_limits<double>::infinity()));
}

Named lstsq(const Tensor& a_, const Tensor& b_, std::optional<double> rcond,
            const std::optional<std::string_view>& driver_) {
  const std::string_view driver = driver_.value_or("gelsy");
  check_least_squares(a_, b_, driver);
  const bool vectors = a_.dim() - 1 == b_.dim() && b_.shape() == batch_of(a_, 1);
  Tensor a = a_, b = vectors ? unsqueeze(b_, -1) : b_;
  check(b.dim() >= 2 && rows_of(a) == rows_of(b), kLstsq, ": input.size(-2) should match other.size(",
        vectors || b_.dim() < 2 ? "-1" : "-2", ")");
  broadcast_batches(a, b);
  const bool by_svd = driver == "gelsd" || driver == "gelss";
  const Driver how = by_svd ? Driver::SingularValues : driver == "gels" ? Driver::FullRank : Driver::AnyRank;
  Solved r = least_squares(a, b, rcond, how);
  Tensor residuals = empty(Dims{0}, a.dtype());
  const int64_t m = rows_of(a), n = columns_of(a);
  {
    const NoRecordGuard off;
    const bool full_rank =
        m > n && driver != "gelsy" && b.numel() > 0 && *all(physical(eq(r.rank, Scalar(n))), {}, false).host<uint8_t>();
    if (full_rank) residuals = sum(square(sub(matmul(a, r.x), b)), Dims{-2});
    if (vectors) r.x = alias_of(squeeze(r.x, Dims{-1}));
  }
  if (should_record(a, b)) {
    if (vectors) b = squeeze(b, Dims{-1});
    const std::array outs{r.x, residuals};
    record_outputs(outs, make_node({&a, &b}, LstsqVjp{Saved(a), Saved(b), Saved::output(r.x, 0), vectors}, 2));
  }
  if (driver == "gels") r.rank = empty(Dims{0}, DType::Int64);
  return {{r.x, residuals, r.rank, by_svd ? r.values : empty(Dims{0}, a.dtype())}};
}

}  // namespace gradcore::linalg
