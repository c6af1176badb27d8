// How ops along a dim hand tensors to kernels that work on dense rows.
#pragma once
#include "ops/copy.h"
#include "ops/view_core.h"
#include "tensor/door.h"

namespace gradcore {

// Dim `d` exchanged with the last one. A tensor without dims is a row of one element.
inline Tensor with_last(const Tensor& t, int d) { return t.dim() ? transpose(t, d, -1) : t; }
inline int64_t row_length(const Tensor& t, int d) { return t.dim() ? t.size(d) : 1; }
// The rows along dim `d`, dense: a copy where they are not.
inline Tensor dense_rows(const Tensor& t, int d) { return contiguous(with_last(t, d)); }

// A result in any memory order, as the dense rows that a kernel writes.
class RowsToWrite {
 public:
  RowsToWrite() = default;
  RowsToWrite(const Tensor& out, int d) : out_(with_last(out, d)), rows_(out_) {
    if (!out_.is_contiguous()) rows_ = empty(out_.shape(), out_.dtype());
  }
  explicit operator bool() const { return rows_.defined(); }
  Window window() const { return rows_.window(); }
  // After the launch: brings the rows to where they belong.
  void finish() const {
    if (rows_ && !rows_.is_same(out_)) copy_raw(out_, rows_);
  }

 private:
  Tensor out_, rows_;
};

}  // namespace gradcore
