// Batch dims: what vmap hides from the function that it maps.
//
// Note [Batch dims]
// A tensor inside vmap is a window with dims in front of its shape that nobody sees but the kernels' callers:
//
//     logical   shape          strides           what the program sees, what views rearrange, what nodes remember
//     physical  sizes + shape  strides of both   what is computed on
//
// Views work on the logical dims and hand the batch on untouched. An op that reads or writes memory asks for physical
// windows of its operands, aligned by level (physical()), computes on those, and hides the batch dims of the result
// (hide()); its node is recorded with the logical tensors, so that vjps need no rule of their own: they are made of
// ops. A tensor that lacks a level is the same for all samples of it.
//
// Each vmap opens a level of its own number, rising, and batches are kept in that order. Tensors of a level that is
// over live on in the graph. Going back, a gradient that still has such a level where the results of a node lack it
// belongs to tensors that were the same for all samples: it is summed before any other is added to it (engine.cpp).
#pragma once
#include <initializer_list>

#include "tensor/tensor.h"

namespace gradcore {

// The levels that some tensors have together, and their sizes.
struct Levels {
  Dims ids, sizes;
  int count() const { return ids.size(); }
  bool none() const { return ids.empty(); }
  int find(int64_t id) const;
  void add(const Tensor& t);
};
template <class... T> bool any_batched(const T&... t) { return ((t.defined() && t->batch) || ...); }
Levels levels_of(std::initializer_list<const Tensor*> tensors);
Levels levels_of(std::span<const Tensor> tensors);

// The window with the dims of these levels in front, stepping nowhere along those that `t` lacks. The shape is filled
// up to `dims` with ones. Knows nothing of autograd.
Tensor physical(const Tensor& t, const Levels& levels, int dims = 0);
inline Tensor physical(const Tensor& t) { return physical(t, levels_of({&t})); }
// The reverse: the first dims of `t` become those of the levels.
Tensor hide(const Tensor& t, const Levels& levels);
// New memory with batch dims.
Tensor empty_batched(const Levels& levels, const Dims& shape, DType dtype);
Tensor empty_strided_batched(const Levels& levels, const Dims& shape, const Dims& strides, DType dtype);
// Refuses to write what has more levels into what has fewer.
void check_levels(const Tensor& to, const Levels& levels);

// One dim of `t` as a new level; a level as a dim again (of the given size where `t` lacks it). Raw windows.
Tensor with_dim_hidden(const Tensor& t, int dim, int64_t level);
Tensor with_level_shown(const Tensor& t, int64_t level, int dim, int64_t size);

// ---- the thread's open levels

enum class Randomness : uint8_t { Error, Same, Different };
int64_t enter_batch_level(int64_t size, Randomness randomness);
void exit_batch_level();
// Between these the level is not there for new code, although it is not over: a custom Function's rule for batches runs
// so.
void leave_batch_level(int64_t level);
void return_to_batch_level(int64_t level);
// For the time of a scope all open levels are left.
class OutsideOfBatchLevels {
 public:
  OutsideOfBatchLevels();
  ~OutsideOfBatchLevels();
  OutsideOfBatchLevels(const OutsideOfBatchLevels&) = delete;

 private:
  Dims left_;
};
bool is_open(int64_t level);
// The innermost level, 0 for none.
inline thread_local constinit int64_t batch_level = 0;
// The levels along which random numbers differ. Refuses where they are not to be drawn at all.
Levels differing_levels();
inline Levels levels_of_random_numbers() { return batch_level ? differing_levels() : Levels(); }

}  // namespace gradcore
