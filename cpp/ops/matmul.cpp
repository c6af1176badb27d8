// Matrix products. Start at Product: every one ends there, and transposed operands go to the kernel as strides.
#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "ops/autocast.h"
#include "ops/batching.h"
#include "ops/matmul_add.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

// A matrix as the kernel sees it, or a batch of them.
struct Matrix {
  Window memory;
  int64_t row, col, step = 0;
};
Matrix matrix_of(const Tensor& t) {
  const int n = t.dim();
  return {t.window(), t.stride(n - 2), t.stride(n - 1), n > 2 ? t.stride(0) : 0};
}
Matrix row_of(const Tensor& vector) { return {vector.window(), 0, vector.stride(0)}; }
Matrix column_of(const Tensor& vector) { return {vector.window(), vector.stride(0), 1}; }

// `wide`: halves into floats.
template <class T> GemmFn<T> gemm_kernel(bool wide) {
  const MatmulKernels& table = kernels().matmul;
  if constexpr (std::is_same_v<T, float>) return table.f32;
  if constexpr (std::is_same_v<T, double>) return table.f64;
  if constexpr (std::is_same_v<T, uint8_t>) return table.u8;
  if constexpr (std::is_same_v<T, int8_t>) return table.i8;
  if constexpr (std::is_same_v<T, int16_t>) return table.i16;
  if constexpr (std::is_same_v<T, int32_t>) return table.i32;
  if constexpr (std::is_same_v<T, int64_t>) return table.i64;
  if constexpr (std::is_same_v<T, half>) return wide ? table.f16_to_f32 : table.f16;
  if constexpr (std::is_same_v<T, bfloat16>) return wide ? table.bf16_to_f32 : table.bf16;
}

template <class T> SmallFn<T> small_kernel() {
  const MatmulKernels& table = kernels().matmul;
  if constexpr (std::is_same_v<T, float>) return table.small_f32;
  if constexpr (std::is_same_v<T, double>) return table.small_f64;
  return nullptr;
}

// c (dense, m x n) = a (m x k) b (k x n), for each of a batch. c is of their dtype; that of halves may be float32. A
// single product of floats may begin with a `start`: is_row().
class Product final : public Instruction {
 public:
  static constexpr bool kOwnsAll = true;
  Product(const Matrix& a, const Matrix& b, const Tensor& c, int64_t m, int64_t n, int64_t k, int64_t batch = 1,
          const Tensor& start = Tensor())
      : windows_{a.memory, b.memory, c.window(), start ? start.window() : Window()},
        a_(open(a.memory)),
        b_(open(b.memory)),
        c_(open(c.window())),
        start_(start ? open(windows_[3]) : nullptr),
        dtype_(a.memory.dtype()),
        out_item_(item_size(c.dtype())),
        batch_(batch),
        a_step_(a.step),
        b_step_(b.step),
        args_{m, n, k, nullptr, a.row, a.col, nullptr, b.row, b.col, nullptr, n, false} {
    if ((dtype_ == DType::Bool || is_wide_unsigned(dtype_)) && c.numel() && k)
      fail(ErrorKind::NotImplemented, "\"addmm_impl_cpu_\" not implemented for '", scalar_type_name(dtype_), "'");
  }
  const char* name() const { return "product"; }
  bool fails() const { return false; }
  void run() const {
    const int64_t numel = batch_ * args_.m * args_.n;
    if (numel == 0) return;
    if (args_.k == 0 && !start_) {
      std::memset(c_, 0, static_cast<size_t>(numel * out_item_));
      return;
    }
    visit_dtype(dtype_, [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!std::is_same_v<T, bool> && !is_wide_unsigned(dtype_of<T>)) run_as<T>();
    });
  }
  template <class F> void touches(F&& f) const {
    for (int i = 0; i < (start_ ? 4 : 3); ++i) f(touch_of(windows_[i], i == 2));
  }

 private:
  template <class T> void run_as() const {
    const GemmFn<T> kernel = gemm_kernel<T>(out_item_ != sizeof(T));
    const auto args = [&](int64_t i) -> GemmArgs<T> {
      const GemmArgs<char>& g = args_;
      return {g.m,
              g.n,
              g.k,
              reinterpret_cast<const T*>(a_) + i * a_step_,
              g.a_row,
              g.a_col,
              reinterpret_cast<const T*>(b_) + i * b_step_,
              g.b_row,
              g.b_col,
              reinterpret_cast<T*>(c_ + i * g.m * g.n * out_item_),
              g.ldc,
              false,
              reinterpret_cast<const T*>(start_)};
    };
    const auto one = [&](int64_t i) { kernel(args(i)); };
    if (batch_ == 1) return one(0);
    // Small products share blocks of about a microsecond's multiple; large ones are parallel inside.
    const double work = static_cast<double>(args_.m) * static_cast<double>(args_.n) * static_cast<double>(args_.k);
    const int64_t per_block = static_cast<int64_t>(1 + 400e3 / work);
    const SmallFn<T> small = is_small(args(0)) ? small_kernel<T>() : nullptr;
    if (small && batch_ <= per_block) return small(args(0), batch_, a_step_, b_step_);
    if (work > 1e6 || batch_ <= per_block) {
      for (int64_t i = 0; i < batch_; ++i) one(i);
      return;
    }
    parallel_blocks((batch_ + per_block - 1) / per_block, [&](int64_t block) {
      const int64_t end = std::min(batch_, (block + 1) * per_block);
      if (small) return small(args(block * per_block), end - block * per_block, a_step_, b_step_);
      for (int64_t i = block * per_block; i < end; ++i) one(i);
    });
  }

  Window windows_[4];
  const char *a_, *b_;
  char* c_;
  const char* start_;
  DType dtype_;
  int64_t out_item_, batch_, a_step_, b_step_;
  GemmArgs<char> args_;  // without its pointers
};

const char* cpp_name(DType t) {
  switch (t) {
    case DType::Float32: return "float";
    case DType::Float64: return "double";
    case DType::Float16: return "c10::Half";
    case DType::BFloat16: return "c10::BFloat16";
    default: return scalar_type_name(t);
  }
}
void check_same_dtype(const Tensor& a, const Tensor& b) {
  check(a.dtype() == b.dtype(), "expected m1 and m2 to have the same dtype, but got: ", cpp_name(a.dtype()),
        " != ", cpp_name(b.dtype()));
}

Tensor bmm_raw(const Tensor& a, const Tensor& b);

int64_t product(const Dims& sizes) {
  int64_t n = 1;
  for (int64_t d : sizes) n *= d;
  return n;
}

// Matrices with batch dims (and, in bmm, one more) in front, which `a` and `b` have in common.
Tensor mm_beneath(const Tensor& a, const Tensor& b) {
  const NoRecordGuard off;
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

Tensor mm_raw(const Tensor& a, const Tensor& b, DType type) {
  if (any_batched(a, b)) return cast(mm_beneath(a, b), type);
  const Tensor out = empty(Dims{a.size(0), b.size(1)}, type);
  launch(Product(matrix_of(a), matrix_of(b), out, a.size(0), b.size(1), a.size(1)));
  return out;
}

Saved save_if(bool wanted, const Tensor& t) { return wanted ? Saved(t) : Saved(); }

// The gradient of an operand stored by columns is made by columns too, as torch does.
bool by_columns(const Tensor& t) { return t.stride(0) == 1 && t.stride(1) == t.size(0) && t.size(1) != 1; }
Tensor laid_out(const Tensor& x, const Tensor& y, bool columns) { return columns ? t(mm(t(y), t(x))) : mm(x, y); }

// What viewers see of an operand while it is kept; of the strides, those that torch makes a gradient by.
void add_sizes(SavedFields& fields, const Saved& kept, bool has_gradient, const char* sizes, const char* strides) {
  if (!kept.raw()) return;
  fields.push_back({sizes, kept.raw().shape()});
  fields.push_back({strides, has_gradient ? kept.raw().strides() : Dims()});
}

// The operands of a product of matrices: each is kept for the other's gradient.
struct Factors {
  bool a_columns, b_columns;
  Saved a, b;
  Factors(const Tensor& x, const Tensor& y)
      : a_columns(by_columns(x)),
        b_columns(by_columns(y)),
        a(save_if(should_record(y), x)),
        b(save_if(should_record(x), y)) {}
  auto saves() { return std::tie(a, b); }
  Tensor gradient_of_a(Node& self, const Tensor& g) const { return laid_out(g, t(b.unpack(&self)), a_columns); }
  Tensor gradient_of_b(Node& self, const Tensor& g) const { return laid_out(t(a.unpack(&self)), g, b_columns); }
};

struct MmVjp {
  static constexpr const char* kName = "MmBackward0";
  Factors by;
  SavedFields fields() {
    SavedFields f{{"self", &by.a}, {"mat2", &by.b}};
    add_sizes(f, by.a, by.b.defined(), "self_sym_sizes", "self_sym_strides");
    add_sizes(f, by.b, by.a.defined(), "mat2_sym_sizes", "mat2_sym_strides");
    return f;
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = by.gradient_of_a(self, g[0]);
    if (self.needs(1)) out[1] = by.gradient_of_b(self, g[0]);
  }
  auto saves() { return by.saves(); }
};

struct BmmVjp {
  static constexpr const char* kName = "BmmBackward0";
  Saved a, b;
  SavedFields fields() { return {{"self", &a}, {"mat2", &b}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = bmm(g[0], transpose(b.unpack(&self), 1, 2));
    if (self.needs(1)) out[1] = bmm(transpose(a.unpack(&self), 1, 2), g[0]);
  }
  auto saves() { return std::tie(a, b); }
};

struct MvVjp {
  static constexpr const char* kName = "MvBackward0";
  Saved a, b;
  SavedFields fields() { return {{"self", &a}, {"vec", &b}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = outer(g[0], b.unpack(&self));
    if (self.needs(1)) out[1] = mv(t(a.unpack(&self)), g[0]);
  }
  auto saves() { return std::tie(a, b); }
};

struct DotVjp {
  static constexpr const char* kName = "DotBackward0";
  Saved a, b;
  SavedFields fields() { return {{"self", &a}, {"tensor", &b}}; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = mul(g[0], b.unpack(&self));
    if (self.needs(1)) out[1] = mul(g[0], a.unpack(&self));
  }
  auto saves() { return std::tie(a, b); }
};

struct AddmmVjp {
  static constexpr const char* kName = "AddmmBackward0";
  Dims shape;
  Factors by;
  Scalar beta, alpha;
  SavedFields fields() {
    SavedFields f{{"mat1", &by.a}, {"mat2", &by.b}, {"alpha", alpha}, {"beta", beta}};
    add_sizes(f, by.a, by.b.defined(), "mat1_sym_sizes", "mat1_sym_strides");
    add_sizes(f, by.b, by.a.defined(), "mat2_sym_sizes", "mat2_sym_strides");
    return f;
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = times_factor(sum_to(g[0], shape), beta);
    const Tensor scaled = times_factor(g[0], alpha);
    if (self.needs(1)) out[1] = by.gradient_of_a(self, scaled);
    if (self.needs(2)) out[2] = by.gradient_of_b(self, scaled);
  }
  auto saves() { return by.saves(); }
};

}  // namespace

Tensor mm(const Tensor& a, const Tensor& b) {
  if (modes.autocast) [[unlikely]]
    return in_lower_precision(mm, a, b);
  check(a.dim() == 2, "self must be a matrix");
  check(b.dim() == 2, "mat2 must be a matrix");
  check(a.size(1) == b.size(0), "mat1 and mat2 shapes cannot be multiplied (", a.size(0), "x", a.size(1), " and ",
        b.size(0), "x", b.size(1), ")");
  check_same_dtype(a, b);
  const Tensor out = mm_raw(a, b, a.dtype());
  if (should_record(a, b)) record(out, {&a, &b}, MmVjp{{a, b}});
  return out;
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  if (modes.autocast) [[unlikely]]
    return in_lower_precision(bmm, a, b);
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
  // Many dot products of vectors that do not lie along memory: to copy all at once is better than to pack each.
  const NoRecordGuard off;
  const bool dots = m * n == 1 && batch > 1;
  const Tensor x = dots && a.stride(2) != 1 ? contiguous(a) : a, y = dots && b.stride(1) != 1 ? contiguous(b) : b;
  launch(Product(matrix_of(x), matrix_of(y), out, m, n, k, batch));
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
    const NoRecordGuard off;
    out = alias_of(select(mm_raw(a, unsqueeze(b, 1), a.dtype()), 1, 0));
  } else {
    out = empty(Dims{a.size(0)}, a.dtype());
    launch(Product(matrix_of(a), column_of(b), out, a.size(0), 1, a.size(1)));
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
    const NoRecordGuard off;
    out = alias_of(select(select(mm_raw(unsqueeze(a, 0), unsqueeze(b, 1), a.dtype()), 0, 0), 0, 0));
  } else {
    out = empty(Dims(), a.dtype());
    launch(Product(row_of(a), column_of(b), out, 1, 1, a.size(0)));
  }
  if (should_record(a, b)) record(out, {&a, &b}, DotVjp{save_if(should_record(b), a), save_if(should_record(a), b)});
  return out;
}

Tensor outer(const Tensor& a, const Tensor& b) {
  check(a.dim() == 1, "outer: Expected 1-D argument self, but got ", a.dim(), "-D");
  check(b.dim() == 1, "outer: Expected 1-D argument vec2, but got ", b.dim(), "-D");
  return mul(view(a, Dims{a.numel(), 1}), b);
}

// unsafe_view() of a single row. torch squeezes it in place: no view of anything either.
struct RowVjp {
  static constexpr const char* kName = "SqueezeBackward4";
  Dims shape;
  SavedFields fields() { return {{"self_sym_sizes", shape}, {"dim", 0}}; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = unsqueeze(g[0], 0); }
};
static Tensor row_as_vector(const Tensor& t) {
  const Tensor out = make_window(t, Dims{t.size(1)}, Dims{1});
  if (should_record(t)) record(out, {&t}, RowVjp{t.shape()});
  return out;
}

// Note [Products of batches]
// Where one operand has no batch, the other's folds into its rows, and one product of matrices does all. As torch
// does, an operand without batch that needs a gradient is never expanded instead: its gradient would be made for each
// sample first. Otherwise folding is worth it only where it copies nothing.

// Whether the dims before the last step evenly into each other.
static bool folds_without_copy(const Dims& shape, const Dims& strides) {
  for (int i = 0; i + 2 < shape.size(); ++i)
    if (strides[i] != strides[i + 1] * shape[i + 1]) return false;
  return true;
}
static bool folds(const Tensor& a, const Tensor& b) {
  const int na = a.dim(), nb = b.dim();
  if (std::max(na, nb) < 3 || std::min(na, nb) > 2) return false;
  if (requires_grad(na >= nb ? b : a)) return true;
  if (na == 2) return false;  // the result would be copied as well
  const Tensor& wide = na >= nb ? a : b;
  Dims shape = wide.shape(), strides = wide.strides();
  if (na < nb) {  // its columns are the rows
    std::swap(shape[nb - 1], shape[nb - 2]);
    std::swap(strides[nb - 1], strides[nb - 2]);
  }
  return wide.numel() == 0 || folds_without_copy(shape, strides);
}

// `b` is a matrix or a vector.
static Tensor folded(const Tensor& a, const Tensor& b) {
  const int last = a.dim() - 1;
  const int64_t inner = a.size(last), columns = b.dim() == 1 ? 1 : b.size(1);
  Dims shape(a.shape().span().first(static_cast<size_t>(last)));
  const int64_t rows = product(shape);
  check(inner == b.size(0), "mat1 and mat2 shapes cannot be multiplied (", rows, "x", inner, " and ", b.size(0), "x",
        columns, ")");
  const Tensor wide = reshape(a, Dims{rows, inner});
  if (b.dim() == 1) return unsafe_view(mv(wide, b), shape);
  shape.push_back(columns);
  return unsafe_view(mm(wide, b), shape);
}
// `a` is; all of it is transposed.
static Tensor folded_right(const Tensor& a, const Tensor& b) {
  const Tensor turned = transpose(b, -2, -1);
  if (a.dim() == 1) return folded(turned, a);
  return contiguous(transpose(folded(turned, t(a)), -2, -1));
}

static Dims batch_of(const Tensor& t) {
  return Dims(t.shape().span().first(static_cast<size_t>(std::max(t.dim() - 2, 0))));
}

// `t` for all of a batch, as matrices in a row.
static Tensor matrices(const Tensor& t, const Dims& batch, int64_t rows, int64_t columns) {
  Dims shape = batch;
  shape.push_back(rows);
  shape.push_back(columns);
  return reshape(expand(t, shape), Dims{product(batch), rows, columns});
}
static Tensor batched(const Tensor& a, const Tensor& b) {
  const int na = a.dim(), nb = b.dim();
  if (na == 3 && nb == 3 && a.size(0) != b.size(0)) {
    if (a.size(0) == 1 && requires_grad(a)) return matmul(squeeze(a, Dims{0}), b);
    if (b.size(0) == 1 && requires_grad(b)) return matmul(a, squeeze(b, Dims{0}));
  }
  const Dims batch = broadcast_shapes(batch_of(a), batch_of(b));
  const int64_t rows = na > 1 ? a.size(na - 2) : 1;
  Dims shape = batch;
  if (na > 1) shape.push_back(rows);
  const Tensor left = matrices(a, batch, rows, a.size(na - 1));
  if (nb > 1) {
    shape.push_back(b.size(nb - 1));
    return unsafe_view(bmm(left, matrices(b, batch, b.size(nb - 2), b.size(nb - 1))), shape);
  }
  Dims vectors = batch;
  vectors.push_back(b.size(0));
  const Tensor right = unsqueeze(reshape(expand(b, vectors), Dims{product(batch), b.size(0)}), 2);
  return unsafe_view(squeeze(bmm(left, right), Dims{-1}), shape);
}

// Both of at least one dim; more than two are batches that broadcast.
Tensor matmul(const Tensor& a, const Tensor& b) {
  if (modes.autocast) [[unlikely]]
    return in_lower_precision(matmul, a, b);
  const int na = a.dim(), nb = b.dim();
  if (na == 0 || nb == 0) fail("both arguments to matmul need to be at least 1D, but they are ", na, "D and ", nb, "D");
  if (na == 1 && nb == 1) return dot(a, b);
  if (na == 2 && nb == 1) return mv(a, b);
  if (na == 1 && nb == 2) return row_as_vector(mm(unsqueeze(a, 0), b));
  if (na == 2 && nb == 2) return mm(a, b);
  if (folds(a, b)) return na >= nb ? folded(a, b) : folded_right(a, b);
  return batched(a, b);
}

static Tensor without_history(const Tensor& t, DType type) {
  const NoRecordGuard off;
  return cast(t, type);
}

// Whether t, n numbers, can be what the rows of a product begin with.
static bool is_row(const Tensor& t, int64_t n) {
  return t.dim() == 1 && t.size(0) == n && (n == 1 || t.stride(0) == 1) &&
         (t.dtype() == DType::Float32 || t.dtype() == DType::Float64);
}
static Tensor product_from(const Tensor& start, const Matrix& a, const Matrix& b, const Dims& shape, int64_t k) {
  const Tensor out = empty(shape, start.dtype());
  launch(Product(a, b, out, shape[0], shape[1], k, 1, start));
  return out;
}

Tensor addmm(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  if (modes.autocast) [[unlikely]]
    return in_lower_precision([&](auto... x) { return addmm(x..., beta, alpha); }, t, a, b);
  check(a.dim() == 2, "mat1 must be a matrix, got ", a.dim(), "-D tensor");
  check(b.dim() == 2, "mat2 must be a matrix, got ", b.dim(), "-D tensor");
  check(a.size(1) == b.size(0), "mat1 and mat2 shapes cannot be multiplied (", a.size(0), "x", a.size(1), " and ",
        b.size(0), "x", b.size(1), ")");
  check(t.dtype() == b.dtype(), "self and mat2 must have the same dtype, but got ", scalar_type_name(t.dtype()),
        " and ", scalar_type_name(b.dtype()));
  check(a.dtype() == b.dtype(), "mat1 and mat2 must have the same dtype, but got ", scalar_type_name(a.dtype()),
        " and ", scalar_type_name(b.dtype()));
  const Dims shape{a.size(0), b.size(1)};
  if (!broadcastable_to(t.shape(), shape)) {
    const NoRecordGuard off;
    expand(t, shape);  // raises what it is called with
  }
  const DType wide = computed_in(a.dtype());
  const bool fused = is_row(t, b.size(1)) && beta.is_one() && alpha.is_one() && !any_batched(t, a, b);
  const auto weighted = [&] {
    return weighted_sum(without_history(t, wide), shape, beta, alpha, [&] { return mm_raw(a, b, wide); });
  };
  const Tensor out = fused ? product_from(t, matrix_of(a), matrix_of(b), shape, a.size(1)).as_new()
                           : without_history(weighted(), a.dtype());
  if (should_record(t, a, b)) record(out, {&t, &a, &b}, AddmmVjp{t.shape(), {a, b}, beta, alpha});
  return out;
}

// Whether linear() has nothing to record and to refuse.
static bool plain_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (!bias || x.dim() != 2 || weight.dim() != 2 || bias.dim() != 1) return false;
  if (x.size(1) != weight.size(1) || bias.size(0) != weight.size(0)) return false;
  if (x.dtype() != weight.dtype() || x.dtype() != bias.dtype()) return false;
  return !should_record(x, weight, bias) && !any_batched(x, weight, bias);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (modes.autocast) [[unlikely]]
    return in_lower_precision(linear, x, weight, bias);
  if (plain_linear(x, weight, bias)) {
    const NoRecordGuard off;
    Matrix columns = matrix_of(weight);
    std::swap(columns.row, columns.col);
    const Dims shape{x.size(0), weight.size(0)};
    if (is_row(bias, shape[1])) return product_from(bias, matrix_of(x), columns, shape, x.size(1)).as_new();
    const Tensor sum = empty(shape, computed_in(x.dtype()));
    launch(Product(matrix_of(x), columns, sum, x.size(0), weight.size(0), x.size(1)));
    add_(sum, bias, Scalar(1));
    return cast(sum, x.dtype()).as_new();
  }
  if (weight.dim() == 1) {
    check(!bias, "mat2 must be a matrix, got 1-D tensor");
    return matmul(x, weight);
  }
  check(x.dim() > 0, "both arguments to linear need to be at least 1D, but they are 0D and ", weight.dim(), "D");
  const Tensor columns = t(weight);
  if (!bias) return matmul(x, columns);
  const Scalar one(1);
  if (x.dim() == 2) return addmm(bias, x, columns, one, one);
  if (x.dim() == 1 || !x.is_contiguous()) return add(matmul(x, columns), bias);
  // One product of matrices, with the bias in it.
  const int last = x.dim() - 1;
  Dims shape(x.shape().span().first(static_cast<size_t>(last)));
  const Tensor rows = addmm(bias, reshape(x, Dims{product(shape), x.size(last)}), columns, one, one);
  shape.push_back(weight.size(0));
  return reshape(rows, shape);
}

}  // namespace gradcore
