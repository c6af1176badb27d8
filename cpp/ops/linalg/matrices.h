// What the ops of linear algebra share: what they refuse, how batches of matrices reach a kernel, and the few products
// and triangles of which their derivatives are made. Start at MatrixKernel.
#pragma once
#include <algorithm>
#include <array>

#include "core/parallel.h"
#include "kernels/table.h"
#include "ops/batching.h"
#include "ops/linalg.h"
#include "ops/ops.h"
#include "tensor/door.h"

namespace gradcore::linalg {

// ---- what is refused, in torch's words; `op` is the name in them

void need_matrix(const Tensor& t, const char* op, const char* name = "A");
void need_square(const Tensor& t, const char* op, const char* name = "A");
// Most are refused for halves, as torch does.
void need_floating(const Tensor& t, const char* op, bool halves = false);
// In the words that torch has for ops without a check of their own.
void need_floats_for(const char* kernel, const Tensor& t);
void need_same_dtype(const Tensor& a, const Tensor& b, const char* op);

// Raises the message of the first matrix whose info is not zero; `what(info)` is its sentence.
int32_t first_failure(const Tensor& info, int64_t& place);
template <class F> void check_info(const Tensor& info, const char* op, F&& what) {
  int64_t place = 0;
  const int32_t found = first_failure(info, place);
  if (!found) return;
  const std::string where = info.dim() || info->batch ? str_cat("(Batch element ", place, "): ") : "";
  fail(ErrorKind::LinAlg, op, ": ", where, what(found));
}

// ---- shapes

inline int64_t rows_of(const Tensor& t) { return t.size(t.dim() - 2); }
inline int64_t columns_of(const Tensor& t) { return t.size(t.dim() - 1); }
Dims batch_of(const Tensor& t, int inner = 2);
Dims with(const Dims& batch, std::initializer_list<int64_t> inner);
// New memory for matrices, by columns.
Tensor empty_by_columns(const Dims& batch, int64_t rows, int64_t columns, DType dtype);
// Expands the batches of `a` and `b` to each other. Recorded.
void broadcast_batches(Tensor& a, Tensor& b);

// ---- running a kernel

// The same matrices, copied where they are not stored by columns, or where no single step leads through their batch.
Tensor by_columns(const Tensor& t);
// The same tensor, copied where no single step leads through its batch, or elements of a vector lie apart.
Tensor with_one_step(const Tensor& t, int inner);

// A kernel for each matrix of a batch; the operands have the batch dims in front, and nothing hidden.
template <class Args> class MatrixKernel final : public Instruction {
 public:
  static constexpr bool kOwnsAll = true;
  // `work`: multiplications for one matrix.
  MatrixKernel(const char* name, const LinalgRow<Args>& kernels, DType dtype, int64_t batch, double work)
      : args(), name_(name), fn_(kernels[dtype]), batch_(batch), work_(std::max(work, 1.0)) {
    check(fn_, ErrorKind::NotImplemented, "\"", name, "\" not implemented for '", scalar_type_name(dtype), "'");
  }
  // `inner`: the dims of one operand: two of a matrix, one of a vector, none of a number.
  MatrixKernel& reads(Matrices Args::* operand, const Tensor& t, int inner = 2) {
    return add(operand, t, inner, false);
  }
  MatrixKernel& writes(Matrices Args::* operand, const Tensor& t, int inner = 2) {
    return add(operand, t, inner, true);
  }

  const char* name() const { return name_; }
  bool fails() const { return false; }
  void run() const {
    constexpr double kBlock = 100e3, kParallel = 400e3;
    // Whole groups: Kernels may take as many matrices at once as a vector has lanes.
    constexpr int64_t kGroup = 16;
    if (!writes_any_) return;  // a batch of empty matrices can be of any length
    const int64_t each = (static_cast<int64_t>(kBlock / work_) + kGroup) / kGroup * kGroup;
    const int64_t blocks = (batch_ + each - 1) / each;
    if (blocks < 2 || work_ * static_cast<double>(batch_) < kParallel) return fn_(args, 0, batch_);
    parallel_blocks(blocks, [&](int64_t b) { fn_(args, b * each, std::min(batch_, (b + 1) * each)); });
  }
  template <class F> void touches(F&& f) const {
    for (int i = 0; i < count_; ++i) f(touch_of(windows_[i], written_ >> i & 1));
  }

  Args args;

 private:
  static constexpr int kMost = 5;
  MatrixKernel& add(Matrices Args::* operand, const Tensor& t, int inner, bool written) {
    const int n = t.dim();
    Matrices& m = args.*operand;
    m.data = open(t.window());
    m.each = step_of(t, inner);
    m.row = inner == 2 ? t.stride(n - 2) : 1;
    m.col = inner == 2 ? t.stride(n - 1) : 1;
    written_ |= unsigned{written} << count_;
    writes_any_ |= written && t.numel() != 0;
    windows_[count_++] = t.window();
    return *this;
  }
  static int64_t step_of(const Tensor& t, int inner) {
    for (int d = t.dim() - inner - 1; d >= 0; --d)
      if (t.size(d) > 1) return t.stride(d);
    return 0;
  }

  const char* name_;
  LinalgFn<Args> fn_;
  int64_t batch_;
  double work_;
  unsigned written_ = 0;
  bool writes_any_ = false;
  int count_ = 0;
  Window windows_[kMost];
};

// compute(physical tensors...) gives an array of results, whose batch dims are hidden again. Nothing is recorded. The
// tensors have as many dims before their matrices as each other; an undefined one stays so.
template <class F, class... T> auto with_batches(F&& compute, const T&... tensors) {
  const NoRecordGuard off;
  if (!any_batched(tensors...)) return compute(tensors...);
  const Levels levels = levels_of({&tensors...});
  auto out = compute(tensors.defined() ? physical(tensors, levels) : Tensor()...);
  for (Tensor& t : out)
    if (t) t = hide(t, levels);
  return out;
}

// ---- what derivatives are made of; all recorded

inline Tensor mT(const Tensor& t) { return transpose(t, -2, -1); }
Tensor identity_like(const Tensor& square);  // one matrix, to be broadcast
// The diagonals of matrices, and diagonal matrices from vectors.
inline Tensor diagonal_of(const Tensor& t) { return diagonal(t, 0, -2, -1); }
Tensor diagonal_matrix(const Tensor& vector);
// Whether a vjp is recorded in turn: then it may not use what was computed beside the result.
inline bool is_recorded() { return modes.grad || modes.forward; }

}  // namespace gradcore::linalg
