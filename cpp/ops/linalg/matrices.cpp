#include "ops/linalg/matrices.h"

#include "tensor/meta.h"

namespace gradcore::linalg {

void need_matrix(const Tensor& t, const char* op, const char* name) {
  check(t.dim() >= 2, op, ": The input tensor ", name, " must have at least 2 dimensions.");
}
void need_square(const Tensor& t, const char* op, const char* name) {
  need_matrix(t, op, name);
  check(rows_of(t) == columns_of(t), op, ": ", name, " must be batches of square matrices, but they are ", rows_of(t),
        " by ", columns_of(t), " matrices");
}
void need_floating(const Tensor& t, const char* op, bool halves) {
  check(is_floating(t.dtype()), op, ": Expected a floating point or complex tensor as input. Got ",
        scalar_type_name(t.dtype()));
  if (is_half(t.dtype()) && !halves)
    fail(ErrorKind::NotImplemented, "\"", op, "\" not implemented for '", scalar_type_name(t.dtype()), "'");
}
void need_floats_for(const char* kernel, const Tensor& t) {
  check(t.dtype() == DType::Float32 || t.dtype() == DType::Float64, ErrorKind::NotImplemented, "\"", kernel,
        "\" not implemented for '", scalar_type_name(t.dtype()), "'");
}
void need_same_dtype(const Tensor& a, const Tensor& b, const char* op) {
  check(a.dtype() == b.dtype(), op, ": Expected A and B to have the same dtype, but found A of type ",
        scalar_type_name(a.dtype()), " and B of type ", scalar_type_name(b.dtype()), " instead");
}

int32_t first_failure(const Tensor& info, int64_t& place) {
  if (is_meta(info)) return 0;  // matrices without numbers do not fail
  const Tensor all = contiguous(physical(info));
  const int32_t* const found = all.host<int32_t>();
  const int64_t n = all.numel();
  for (place = 0; place < n; ++place)
    if (found[place]) return found[place];
  return 0;
}

Dims batch_of(const Tensor& t, int inner) { return Dims(t.shape().span().first(static_cast<size_t>(t.dim() - inner))); }
Dims with(const Dims& batch, std::initializer_list<int64_t> inner) {
  Dims all = batch;
  for (int64_t n : inner) all.push_back(n);
  return all;
}

Tensor empty_by_columns(const Dims& batch, int64_t rows, int64_t columns, DType dtype) {
  const Dims shape = with(batch, {rows, columns});
  Dims strides = contiguous_strides(shape);
  strides[batch.size()] = 1;
  strides[batch.size() + 1] = std::max<int64_t>(rows, 1);
  return empty_strided(shape, strides, dtype);
}

void broadcast_batches(Tensor& a, Tensor& b) {
  need_matrix(a, "linalg", "A");
  need_matrix(b, "linalg", "B");
  const Dims batch = broadcast_shapes(batch_of(a), batch_of(b));
  const auto expanded = [&](const Tensor& t) {
    need_matrix(t, "linalg");  // the node of the other one may have run Python
    return batch_of(t) == batch ? t : expand(t, with(batch, {rows_of(t), columns_of(t)}));
  };
  a = expanded(a);
  b = expanded(b);
}

Tensor by_columns(const Tensor& t) {
  const Tensor same = with_one_step(t, 2);
  if (same.stride(same.dim() - 2) == 1 && same.stride(same.dim() - 1) >= rows_of(same)) return same;
  const Tensor copy = empty_by_columns(batch_of(t), rows_of(t), columns_of(t), t.dtype());
  copy_raw(copy, t);
  return copy;
}

Tensor with_one_step(const Tensor& t, int inner) {
  if (inner == 1 && columns_of(t) > 1 && t.stride(t.dim() - 1) != 1) return clone(t, true);
  int64_t next = 0;  // the step that the next dim outwards must have
  bool first = true;
  for (int d = t.dim() - inner - 1; d >= 0; --d) {
    if (t.size(d) == 1) continue;
    if (!first && t.stride(d) != next) return clone(t, true);
    next = t.stride(d) * t.size(d);
    first = false;
  }
  return t;
}

Tensor identity_like(const Tensor& square) { return eye(rows_of(square), rows_of(square), square.dtype()); }

Tensor diagonal_matrix(const Tensor& vector) {
  const int64_t n = vector.size(vector.dim() - 1);
  return where(eye(n, n, DType::Bool), unsqueeze(vector, -1), Scalar(0.0));
}

}  // namespace gradcore::linalg
