#include "ops/matmul_add.h"

#include "ops/autocast.h"
#include "ops/record.h"

namespace gradcore {

namespace {

// What the nodes have in common.
struct WeightedVjp {
  Saved a, b;  // each kept for the other's gradient
  Dims shape;  // of `t`
  Scalar beta, alpha;
  WeightedVjp(const Tensor& t, const Tensor& x, const Tensor& y, const Scalar& of_t, const Scalar& of_product)
      : shape(t.shape()), beta(of_t), alpha(of_product) {
    if (should_record(y)) a = Saved(x);
    if (should_record(x)) b = Saved(y);
  }
  SavedFields named(const char* first, const char* second) {
    return {{"alpha", alpha}, {"beta", beta}, {first, &a}, {second, &b}};
  }
  // The gradient of `t`, and that of the product.
  Tensor prepare(Node& self, const Tensor& g, Tensor& of_t) const {
    if (self.needs(0)) of_t = times_factor(sum_to(g, shape), beta);
    return times_factor(g, alpha);
  }
  auto saves() { return std::tie(a, b); }
};

struct AddmvVjp : WeightedVjp {
  static constexpr const char* kName = "AddmvBackward0";
  using WeightedVjp::WeightedVjp;
  SavedFields fields() { return named("mat", "vec"); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor of_product = prepare(self, g[0], out[0]);
    if (self.needs(1)) out[1] = outer(of_product, b.unpack(&self));
    if (self.needs(2)) out[2] = mv(t(a.unpack(&self)), of_product);
  }
};

struct AddrVjp : WeightedVjp {
  static constexpr const char* kName = "AddrBackward0";
  using WeightedVjp::WeightedVjp;
  SavedFields fields() { return named("vec1", "vec2"); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor of_product = prepare(self, g[0], out[0]);
    if (self.needs(1)) out[1] = mv(of_product, b.unpack(&self));
    if (self.needs(2)) out[2] = mv(t(of_product), a.unpack(&self));
  }
};

struct BaddbmmVjp : WeightedVjp {
  static constexpr const char* kName = "BaddbmmBackward0";
  using WeightedVjp::WeightedVjp;
  SavedFields fields() { return named("batch1", "batch2"); }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor of_product = prepare(self, g[0], out[0]);
    if (self.needs(1)) out[1] = bmm(of_product, transpose(b.unpack(&self), 1, 2));
    if (self.needs(2)) out[2] = bmm(transpose(a.unpack(&self), 1, 2), of_product);
  }
};

struct AddbmmVjp : WeightedVjp {
  static constexpr const char* kName = "AddbmmBackward0";
  int64_t batch, rows, columns;
  AddbmmVjp(const Tensor& t, const Tensor& x, const Tensor& y, const Scalar& of_t, const Scalar& of_product)
      : AddbmmVjp(x.size(0), x.size(1), y.size(2), t, x, y, of_t, of_product) {}
  SavedFields fields() {
    SavedFields f = named("batch1", "batch2");
    f.push_back({"batch1_sym_argsize_0", batch});
    f.push_back({"batch1_sym_argsize_1", rows});
    f.push_back({"batch2_sym_argsize_2", columns});
    return f;
  }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    const Tensor of_product = prepare(self, g[0], out[0]);
    const Tensor of_each = expand(of_product, Dims{batch, rows, columns});
    if (self.needs(1)) out[1] = bmm(of_each, transpose(b.unpack(&self), 1, 2));
    if (self.needs(2)) out[2] = bmm(transpose(a.unpack(&self), 1, 2), of_each);
  }

 private:
  // The sizes come first: keeping operands may run Python code, which changes them.
  AddbmmVjp(int64_t n, int64_t m, int64_t k, const Tensor& t, const Tensor& x, const Tensor& y, const Scalar& of_t,
            const Scalar& of_product)
      : WeightedVjp(t, x, y, of_t, of_product), batch(n), rows(m), columns(k) {}
};

// Raises what expand() raises where `t` does not broadcast to the shape.
void check_expands(const Tensor& t, const Dims& shape) {
  const NoRecordGuard off;
  expand(t, shape);
}

void check_batches(const Tensor& a, const Tensor& b) {
  check(a.dim() == 3, "batch1 must be a 3D tensor");
  check(b.dim() == 3, "batch2 must be a 3D tensor");
}
void check_inner(const Tensor& a, const Tensor& b) {
  check(a.size(0) == b.size(0) && a.size(2) == b.size(1),
        "Expected size for first two dimensions of batch2 tensor to be: [", a.size(0), ", ", a.size(2), "] but got: [",
        b.size(0), ", ", b.size(1), "].");
}

// The same elements in the memory order of `t`, where that has the shape: as torch's, addr is elementwise.
Tensor laid_out_as(const Tensor& t, const Tensor& product) {
  if (t.shape() != product.shape() || t.is_contiguous() || any_batched(t, product)) return product;
  const Tensor out = empty_like(t, product.dtype());
  copy_raw(out, product);
  return out;
}

template <class Vjp, class F>
Tensor added(const Tensor& t, const Tensor& a, const Tensor& b, const Dims& shape, const Scalar& beta,
             const Scalar& alpha, F&& product) {
  const Tensor out = weighted_sum(t, shape, beta, alpha, product);
  if (should_record(t, a, b)) record(out, {&t, &a, &b}, Vjp(t, a, b, beta, alpha));
  return out;
}

}  // namespace

Tensor addmv(const Tensor& t, const Tensor& matrix, const Tensor& vector, const Scalar& beta, const Scalar& alpha) {
  check(matrix.dim() == 2 && vector.dim() == 1 && t.dim() <= 1, "vector + matrix @ vector expected, got ", t.dim(),
        ", ", matrix.dim(), ", ", vector.dim());
  check(matrix.size(1) == vector.size(0) && (t.numel() == 1 || t.size(0) == matrix.size(0)),
        "size mismatch, got input (", t.numel(), "), mat (", matrix.size(0), "x", matrix.size(1), "), vec (",
        vector.size(0), ")");
  check(t.dtype() == matrix.dtype() && t.dtype() == vector.dtype(),
        "addmv input tensors must have the same dtype, but got ", scalar_type_name(t.dtype()), ", ",
        scalar_type_name(matrix.dtype()), ", and ", scalar_type_name(vector.dtype()));
  return added<AddmvVjp>(t, matrix, vector, Dims{matrix.size(0)}, beta, alpha, [&] { return mv(matrix, vector); });
}

Tensor addr(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(a.dim() == 1, "addr: Expected 1-D argument vec1, but got ", a.dim(), "-D");
  check(b.dim() == 1, "addr: Expected 1-D argument vec2, but got ", b.dim(), "-D");
  const Dims shape{a.size(0), b.size(0)};
  check_expands(t, shape);
  const Tensor both[] = {a, b};
  DType dtype = t.dtype();
  for (const Tensor& vector : both) dtype = promote_types(dtype, vector.dtype());
  if (!is_floating(dtype)) {
    check(!alpha.is_float(), "For integral input tensors, argument alpha must not be a floating point number.");
    check(!beta.is_float(), "For integral input tensors, argument beta must not be a floating point number.");
  }
  return added<AddrVjp>(cast(t, dtype), cast(a, dtype), cast(b, dtype), shape, beta, alpha,
                        [&] { return laid_out_as(t, cast(outer(a, b), dtype)); });
}

Tensor baddbmm(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  if (modes.autocast) [[unlikely]]
    return in_lower_precision([&](auto... x) { return baddbmm(x..., beta, alpha); }, t, a, b);
  check_batches(a, b);
  const Dims shape{a.size(0), a.size(1), b.size(2)};
  check_expands(t, shape);
  check_inner(a, b);
  check(t.dtype() == a.dtype(), "Input dtypes must be the same, got: input ", dtype_name(t.dtype()),
        ", batch1: ", dtype_name(a.dtype()), ", batch2: ", dtype_name(b.dtype()));
  return added<BaddbmmVjp>(t, a, b, shape, beta, alpha, [&] { return bmm(a, b); });
}

Tensor addbmm(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  if (modes.autocast) [[unlikely]]
    return in_lower_precision([&](auto... x) { return addbmm(x..., beta, alpha); }, t, a, b);
  check_batches(a, b);
  const int64_t rows = a.size(1), columns = b.size(2), inner = a.size(0) * a.size(2);
  const Dims shape{rows, columns};
  check_expands(t, shape);
  check_inner(a, b);
  check(t.dtype() == a.dtype(), "self and mat2 must have the same dtype, but got ", scalar_type_name(t.dtype()),
        " and ", scalar_type_name(b.dtype()));
  // The sum of the products is one product, over the batch as well.
  return added<AddbmmVjp>(t, a, b, shape, beta, alpha, [&] {
    return mm(reshape(permute(a, Dims{1, 0, 2}), Dims{rows, inner}), reshape(b, Dims{inner, columns}));
  });
}

void addmm_(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  copy_(t, addmm(clone(t), a, b, beta, alpha));
}
void addmv_(const Tensor& t, const Tensor& matrix, const Tensor& vector, const Scalar& beta, const Scalar& alpha) {
  copy_(t, addmv(clone(t), matrix, vector, beta, alpha));
}
void addr_(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  check(t.dim() == 2, "2D tensor expected, got ", t.dim(), "D tensor for input");
  copy_(t, addr(clone(t), a, b, beta, alpha));
}
void baddbmm_(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  copy_(t, baddbmm(clone(t), a, b, beta, alpha));
}
void addbmm_(const Tensor& t, const Tensor& a, const Tensor& b, const Scalar& beta, const Scalar& alpha) {
  copy_(t, addbmm(clone(t), a, b, beta, alpha));
}

}  // namespace gradcore
