// Matrix products. Start at multiply(): every product ends there, and transposed operands go to the kernel as strides.
#include <cstring>

#include "core/parallel.h"
#include "ops/beneath.h"
#include "ops/ops.h"
#include "ops/record.h"

namespace gradcore {

namespace {

// A matrix as the kernel sees it.
struct Matrix {
  const char* data;
  int64_t row, col;
};
Matrix matrix_of(const Tensor& t, int64_t batch_offset = 0) {
  const int n = t.dim();
  return {static_cast<const char*>(t->data) + batch_offset * item_size(t.dtype()), t.stride(n - 2), t.stride(n - 1)};
}

template <class T>
GemmArgs<T> gemm_args(int64_t m, int64_t n, int64_t k, const Matrix& a, const Matrix& b, void* c, bool accumulate) {
  return {m,
          n,
          k,
          reinterpret_cast<const T*>(a.data),
          a.row,
          a.col,
          reinterpret_cast<const T*>(b.data),
          b.row,
          b.col,
          static_cast<T*>(c),
          n,
          accumulate};
}

// Integers: row by row, so that the inner loop runs along memory.
template <class T> void multiply_integers(const GemmArgs<T>& g) {
  using U =
      std::common_type_t<unsigned, std::make_unsigned_t<T>>;  // wraps around; shorter ones would be promoted to int
  for (int64_t i = 0; i < g.m; ++i) {
    T* c = g.c + i * g.ldc;
    std::memset(c, 0, g.n * sizeof(T));
    for (int64_t k = 0; k < g.k; ++k) {
      const U a = static_cast<U>(g.a[i * g.a_row + k * g.a_col]);
      const T* b = g.b + k * g.b_row;
      for (int64_t j = 0; j < g.n; ++j)
        c[j] = static_cast<T>(static_cast<U>(c[j]) + a * static_cast<U>(b[j * g.b_col]));
    }
  }
}

// c (dense, m x n) = a (m x k) b (k x n)
void multiply(DType dtype, int64_t m, int64_t n, int64_t k, const Matrix& a, const Matrix& b, void* c) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    std::memset(c, 0, m * n * item_size(dtype));
    return;
  }
  switch (dtype) {
    case DType::Float32: return kernels().gemm_f32(gemm_args<float>(m, n, k, a, b, c, false));
    case DType::Float64: return kernels().gemm_f64(gemm_args<double>(m, n, k, a, b, c, false));
    case DType::Bool: fail(ErrorKind::NotImplemented, "\"addmm_impl_cpu_\" not implemented for 'Bool'");
    default: break;
  }
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
      multiply_integers(gemm_args<T>(m, n, k, a, b, c, false));
  });
}

void check_same_dtype(const Tensor& a, const Tensor& b) {
  check(a.dtype() == b.dtype(), "expected m1 and m2 to have the same dtype, but got: ",
        a.dtype() == DType::Float32   ? "float"
        : a.dtype() == DType::Float64 ? "double"
                                      : scalar_type_name(a.dtype()),
        " != ",
        b.dtype() == DType::Float32   ? "float"
        : b.dtype() == DType::Float64 ? "double"
                                      : scalar_type_name(b.dtype()));
}

Tensor bmm_raw(const Tensor& a, const Tensor& b);

int64_t product(const Dims& sizes) {
  int64_t n = 1;
  for (int64_t d : sizes) n *= d;
  return n;
}

// Matrices with batch dims (and, in bmm, one more) in front, which `a` and `b` have in common.
Tensor mm_beneath(const Tensor& a, const Tensor& b) {
  const Untracked off;
  const Levels levels = levels_of({&a, &b});
  const int n = a.dim();
  Dims lead = levels.sizes;
  if (n == 3) lead.push_back(a.size(0));
  Dims shape = lead;
  shape.push_back(a.size(n - 2));
  shape.push_back(b.size(n - 1));
  const auto flat = [&](const Tensor& t) {
    return reshape(physical(t, levels), Dims{product(lead), t.size(n - 2), t.size(n - 1)});
  };
  if (n == 2 && !any_batched(b)) {  // one matrix for all samples: theirs are rows of one product
    const Tensor rows = reshape(physical(a, levels), Dims{product(lead) * a.size(0), a.size(1)});
    return hide(view(mm(rows, b), shape), levels);
  }
  return hide(view(bmm_raw(flat(a), flat(b)), shape), levels);
}

Tensor mm_raw(const Tensor& a, const Tensor& b) {
  if (any_batched(a, b)) return mm_beneath(a, b);
  const Tensor out = empty(Dims{a.size(0), b.size(1)}, a.dtype());
  multiply(a.dtype(), a.size(0), b.size(1), a.size(1), matrix_of(a), matrix_of(b), out->data);
  return out;
}

struct MmVjp {
  static constexpr const char* kName = "MmBackward0";
  Saved a, b;
  // The gradient of an operand stored by columns is made by columns too, as torch does.
  static Tensor product(const Tensor& x, const Tensor& y, const Tensor& like) {
    const bool by_columns = like && like.stride(0) == 1 && like.stride(1) == like.size(0) && like.size(1) != 1;
    return by_columns ? t(mm(t(y), t(x))) : mm(x, y);
  }
  SavedFields fields() { return {{"self", &a}, {"mat2", &b}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = product(g[0], t(b.unpack(&self)), a.raw());
    if (self.needs(1)) out[1] = product(t(a.unpack(&self)), g[0], b.raw());
  }
  void release() {
    a.reset();
    b.reset();
  }
};

struct BmmVjp {
  static constexpr const char* kName = "BmmBackward0";
  Saved a, b;
  SavedFields fields() { return {{"self", &a}, {"mat2", &b}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = bmm(g[0], transpose(b.unpack(&self), 1, 2));
    if (self.needs(1)) out[1] = bmm(transpose(a.unpack(&self), 1, 2), g[0]);
  }
  void release() {
    a.reset();
    b.reset();
  }
};

struct MvVjp {
  static constexpr const char* kName = "MvBackward0";
  Saved a, b;
  SavedFields fields() { return {{"self", &a}, {"vec", &b}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = outer(g[0], b.unpack(&self));
    if (self.needs(1)) out[1] = mv(t(a.unpack(&self)), g[0]);
  }
  void release() {
    a.reset();
    b.reset();
  }
};

struct DotVjp {
  static constexpr const char* kName = "DotBackward0";
  Saved a, b;
  SavedFields fields() { return {{"self", &a}, {"tensor", &b}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = mul(g[0], b.unpack(&self));
    if (self.needs(1)) out[1] = mul(g[0], a.unpack(&self));
  }
  void release() {
    a.reset();
    b.reset();
  }
};

struct AddmmVjp {
  static constexpr const char* kName = "AddmmBackward0";
  Saved a, b;
  Dims shape;
  Scalar beta, alpha;
  SavedFields fields() { return {{"mat1", &a}, {"mat2", &b}, {"alpha", alpha}, {"beta", beta}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) {
      const Tensor r = sum_to(g[0], shape);
      out[0] = beta.to_double() == 1 ? r : mul(r, beta);
    }
    const Tensor scaled = alpha.to_double() == 1 ? g[0] : mul(g[0], alpha);
    if (self.needs(1)) out[1] = MmVjp::product(scaled, t(b.unpack(&self)), a.raw());
    if (self.needs(2)) out[2] = MmVjp::product(t(a.unpack(&self)), scaled, b.raw());
  }
  void release() {
    a.reset();
    b.reset();
  }
};

Saved save_if(bool wanted, const Tensor& t) { return wanted ? Saved(t) : Saved(); }

}  // namespace

Tensor mm(const Tensor& a, const Tensor& b) {
  check(a.dim() == 2, "self must be a matrix");
  check(b.dim() == 2, "mat2 must be a matrix");
  check(a.size(1) == b.size(0), "mat1 and mat2 shapes cannot be multiplied (", a.size(0), "x", a.size(1), " and ",
        b.size(0), "x", b.size(1), ")");
  check_same_dtype(a, b);
  const Tensor out = mm_raw(a, b);
  if (should_record(a, b)) record(out, {&a, &b}, MmVjp{save_if(should_record(b), a), save_if(should_record(a), b)});
  return out;
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  check(a.dim() == 3 && b.dim() == 3, "batch1 and batch2 must be 3D tensors, got ", a.dim(), "D and ", b.dim(), "D");
  check(a.size(0) == b.size(0) && a.size(2) == b.size(1),
        "Expected size for first two dimensions of batch2 tensor to be: [", a.size(0), ", ", a.size(2), "] but got: [",
        b.size(0), ", ", b.size(1), "].");
  check(a.dtype() == b.dtype(), "expected scalar type ", scalar_type_name(a.dtype()), " but found ",
        scalar_type_name(b.dtype()));
  const Tensor out = any_batched(a, b) ? mm_beneath(a, b) : bmm_raw(a, b);
  if (should_record(a, b)) record(out, {&a, &b}, BmmVjp{save_if(should_record(b), a), save_if(should_record(a), b)});
  return out;
}

namespace {

Tensor bmm_raw(const Tensor& a, const Tensor& b) {
  const int64_t batch = a.size(0), m = a.size(1), n = b.size(2), k = a.size(2);
  const Tensor out = empty(Dims{batch, m, n}, a.dtype());
  const int64_t item = item_size(a.dtype());
  const auto one = [&](int64_t i) {
    multiply(a.dtype(), m, n, k, matrix_of(a, i * a.stride(0)), matrix_of(b, i * b.stride(0)),
             static_cast<char*>(out->data) + i * m * n * item);
  };
  // Small products share blocks of about a microsecond's multiple; large ones are parallel inside.
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const int64_t per_block = work < 1 ? batch : static_cast<int64_t>(1 + 400e3 / work);
  if (work > 1e6 || batch <= per_block) {
    for (int64_t i = 0; i < batch; ++i) one(i);
  } else {
    parallel_blocks((batch + per_block - 1) / per_block, [&](int64_t block) {
      const int64_t end = (block + 1) * per_block < batch ? (block + 1) * per_block : batch;
      for (int64_t i = block * per_block; i < end; ++i) one(i);
    });
  }
  return out;
}

}  // namespace

Tensor mv(const Tensor& a, const Tensor& b) {
  check(a.dim() == 2 && b.dim() == 1, "vector + matrix @ vector expected, got ", 1, ", ", a.dim(), ", ", b.dim());
  check(a.size(1) == b.size(0), "size mismatch, got input (", a.size(0), "), mat (", a.size(0), "x", a.size(1),
        "), vec (", b.size(0), ")");
  check_same_dtype(a, b);
  Tensor out;
  if (any_batched(a, b)) {
    const Untracked off;
    out = alias_of(select(mm_raw(a, unsqueeze(b, 1)), 1, 0));
  } else {
    out = empty(Dims{a.size(0)}, a.dtype());
    multiply(a.dtype(), a.size(0), 1, a.size(1), matrix_of(a), {static_cast<const char*>(b->data), b.stride(0), 1},
             out->data);
  }
  if (should_record(a, b)) record(out, {&a, &b}, MvVjp{save_if(should_record(b), a), save_if(should_record(a), b)});
  return out;
}

Tensor dot(const Tensor& a, const Tensor& b) {
  check(a.dim() == 1 && b.dim() == 1, "1D tensors expected, but got ", a.dim(), "D and ", b.dim(), "D tensors");
  check(a.dtype() == b.dtype(), "dot : expected both vectors to have same dtype, but found ",
        scalar_type_name(a.dtype()), " and ", scalar_type_name(b.dtype()));
  check(a.size(0) == b.size(0), "inconsistent tensor size, expected tensor [", a.size(0), "] and src [", b.size(0),
        "] to have the same number of elements, but got ", a.size(0), " and ", b.size(0), " elements respectively");
  Tensor out;
  if (any_batched(a, b)) {
    const Untracked off;
    out = alias_of(select(select(mm_raw(unsqueeze(a, 0), unsqueeze(b, 1)), 0, 0), 0, 0));
  } else {
    out = empty(Dims(), a.dtype());
    multiply(a.dtype(), 1, 1, a.size(0), {static_cast<const char*>(a->data), 0, a.stride(0)},
             {static_cast<const char*>(b->data), b.stride(0), 1}, out->data);
  }
  if (should_record(a, b)) record(out, {&a, &b}, DotVjp{save_if(should_record(b), a), save_if(should_record(a), b)});
  return out;
}

Tensor outer(const Tensor& a, const Tensor& b) {
  check(a.dim() == 1, "outer: Expected 1-D argument self, but got ", a.dim(), "-D");
  check(b.dim() == 1, "outer: Expected 1-D argument vec2, but got ", b.dim(), "-D");
  return mul(view(a, Dims{a.numel(), 1}), b);
}

struct UnsafeViewVjp {
  static constexpr const char* kName = "UnsafeViewBackward0";
  Dims shape;
  SavedFields fields() { return {{"self_sym_sizes", shape}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = reshape(g[0], shape); }
};
// A fresh dense result in another shape: nobody else sees its memory, so it is no view of anything.
static Tensor unsafe_view(const Tensor& t, const Dims& shape) {
  const Tensor out = make_window(t, shape, contiguous_strides(shape), t->data);
  if (should_record(t)) record(out, {&t}, UnsafeViewVjp{t.shape()});
  return out;
}

// Both of at least one dim; more than two are batches that broadcast.
Tensor matmul(const Tensor& a, const Tensor& b) {
  const int na = a.dim(), nb = b.dim();
  if (na == 0 || nb == 0) fail("both arguments to matmul need to be at least 1D, but they are ", na, "D and ", nb, "D");
  if (na == 1 && nb == 1) return dot(a, b);
  if (na == 2 && nb == 1) return mv(a, b);
  if (na == 1 && nb == 2) return squeeze(mm(unsqueeze(a, 0), b), Dims{0});
  if (na == 2 && nb == 2) return mm(a, b);
  if (nb == 1 || (nb == 2 && na > 2)) {  // the batch folds into the rows
    const int64_t inner = b.size(0), columns = nb == 1 ? 1 : b.size(1);
    int64_t rows = 1;
    Dims shape;
    for (int i = 0; i < na - 1; ++i) {
      rows *= a.size(i);
      shape.push_back(a.size(i));
    }
    check(a.size(na - 1) == inner, "mat1 and mat2 shapes cannot be multiplied (", rows, "x", a.size(na - 1), " and ",
          inner, "x", columns, ")");
    const Tensor wide = reshape(a, Dims{rows, a.size(na - 1)});
    const Tensor flat = nb == 1 ? mv(wide, b) : mm(wide, b);
    if (nb == 2) shape.push_back(b.size(1));
    return unsafe_view(flat, shape);
  }
  const Tensor left = na == 1 ? unsqueeze(a, 0) : a;
  const auto batch_of = [](const Tensor& t) { return Dims(t.shape().span().first(t.dim() - 2)); };
  const Dims batch = broadcast_shapes(batch_of(left), batch_of(b));
  int64_t count = 1;
  for (int64_t d : batch) count *= d;
  const auto batched = [&](const Tensor& t) {
    Dims shape = batch;
    const int64_t r = t.size(t.dim() - 2), c = t.size(t.dim() - 1);
    shape.push_back(r);
    shape.push_back(c);
    return reshape(expand(t, shape), Dims{count, r, c});
  };
  const Tensor product = bmm(batched(left), batched(b));
  Dims shape = batch;
  if (na > 1) shape.push_back(product.size(1));
  shape.push_back(product.size(2));
  return unsafe_view(product, shape);
}

Tensor addmm(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 2, "mat1 must be a matrix, got ", a.dim(), "-D tensor");
  check(b.dim() == 2, "mat2 must be a matrix, got ", b.dim(), "-D tensor");
  check(a.size(1) == b.size(0), "mat1 and mat2 shapes cannot be multiplied (", a.size(0), "x", a.size(1), " and ",
        b.size(0), "x", b.size(1), ")");
  check_same_dtype(a, b);
  check(t.dtype() == a.dtype(), "self and mat2 must have the same dtype, but got ", scalar_type_name(t.dtype()),
        " and ", scalar_type_name(b.dtype()));
  const Dims shape{a.size(0), b.size(1)};
  check(broadcastable_to(t.shape(), shape), "The expanded size of the tensor (", shape,
        ") must match the existing size (", t.shape(), ")");
  Tensor out;
  {
    const Untracked off;
    out = mm_raw(a, b);
    const bool plain = alpha.to_double() == 1;
    if (!plain) mul_(out, alpha);
    if (!beta.is_zero() && any_batched(t))
      out = add(out, t, beta);
    else if (!beta.is_zero())
      add_(out, t, beta);  // beta 0 ignores t, NaN included
    out.as_new();
  }
  if (should_record(t, a, b)) {
    const bool ga = should_record(a), gb = should_record(b);
    record(out, {&t, &a, &b}, AddmmVjp{save_if(gb, a), save_if(ga, b), t.shape(), beta, alpha});
  }
  return out;
}

}  // namespace gradcore
