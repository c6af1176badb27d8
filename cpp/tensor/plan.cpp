#include "tensor/plan.h"

#include <algorithm>
#include <cstring>

#include "core/parallel.h"

namespace gradcore {

namespace {

constexpr double kParallelWork = 16e3;  // nanoseconds of work from which a second thread pays (a fork costs about 1000)
constexpr int64_t kBlockWork = 8000;    // and about how much of it a block holds

void drop_unit_dims(Plan& p) {
  int n = 0;
  for (int d = 0; d < p.ndim; ++d) {
    if (p.size[d] == 1) continue;
    if (n != d) {
      p.size[n] = p.size[d];
      std::memcpy(p.stride[n], p.stride[d], sizeof p.stride[d]);
    }
    ++n;
  }
  p.ndim = n;
}

// Whether dim `a` should be further in than dim `b`: the first operand that tells them apart decides.
bool inside(const Plan& p, int a, int b) {
  for (int k = 0; k < p.operands; ++k) {
    const int64_t sa = p.stride[a][k], sb = p.stride[b][k];
    if (sa == sb || sa == 0 || sb == 0) continue;
    return sa < sb;
  }
  return a < b;
}

void sort_dims(Plan& p) {
  for (int i = 1; i < p.ndim; ++i)
    for (int j = i; j > 0 && inside(p, j, j - 1); --j) {
      std::swap(p.size[j], p.size[j - 1]);
      for (int k = 0; k < p.operands; ++k) std::swap(p.stride[j][k], p.stride[j - 1][k]);
    }
}

bool mergeable(const Plan& p, int inner, int outer) {
  for (int k = 0; k < p.operands; ++k)
    if (p.stride[outer][k] != p.stride[inner][k] * p.size[inner]) return false;
  return true;
}

void coalesce(Plan& p) {
  int last = 0;
  for (int d = 1; d < p.ndim; ++d) {
    if (mergeable(p, last, d)) {
      p.size[last] *= p.size[d];
      continue;
    }
    ++last;
    if (last != d) {
      p.size[last] = p.size[d];
      std::memcpy(p.stride[last], p.stride[d], sizeof p.stride[d]);
    }
  }
  if (p.ndim) p.ndim = last + 1;
}

// Whether operand k has an element of its own for each result.
bool is_whole(const Plan& p, int k) {
  for (int d = 0; d < p.ndim; ++d)
    if (p.stride[d][k] == 0) return false;
  return true;
}

// A loop sees two dims. Where the memory of a whole input runs across the rows, the second one should be the dim along
// which it is dense, so that the loop can read it in whole lines.
void bring_near(Plan& p) {
  for (int k = 1; k < p.operands; ++k) {
    const int64_t inner = p.stride[0][k];
    for (int d = 1; d < p.ndim; ++d) {
      if (p.stride[d][k] <= 0 || p.stride[d][k] >= inner || !is_whole(p, k)) continue;
      std::swap(p.size[1], p.size[d]);
      for (int i = 0; i < p.operands; ++i) std::swap(p.stride[1][i], p.stride[d][i]);
      return;
    }
  }
}

// Runs rows [begin, end) of the plan, a row being one pass over the innermost dim.
void run_rows(const Plan& p, LoopFn loop, const void* params, unsigned numbers, int64_t begin, int64_t end) {
  LoopArgs a;
  a.params = params;
  a.numbers = numbers;
  a.n = p.size[0];
  const int64_t m = p.ndim > 1 ? p.size[1] : 1;
  for (int k = 0; k < p.operands; ++k) {
    a.inner[k] = p.stride[0][k];
    a.outer[k] = p.ndim > 1 ? p.stride[1][k] : 0;
  }
  for (int64_t row = begin; row < end;) {
    int64_t rest = row / m;
    const int64_t first = row % m;
    for (int k = 0; k < p.operands; ++k) a.ptr[k] = p.ptr[k] + first * a.outer[k];
    for (int d = 2; d < p.ndim; ++d) {
      const int64_t i = rest % p.size[d];
      rest /= p.size[d];
      for (int k = 0; k < p.operands; ++k) a.ptr[k] += i * p.stride[d][k];
    }
    a.m = m - first < end - row ? m - first : end - row;
    loop(a);
    row += a.m;
  }
}

// Ops check their shapes in words of their own; this one is met where a tensor was given other data since.
[[gnu::cold, gnu::noinline]] void fail_misfit(const Dims& operand, const Dims& shape) {
  fail("an operand of shape ", operand, " does not fit a loop over ", shape,
       ": it was given other data while it was in use");
}

}  // namespace

void make_plan(Plan& p, const Dims& shape, const PlanOperand* operands, int count) {
  const int ndim = shape.size();
  p.operands = count;
  p.ndim = ndim;
  p.numel = 1;
  for (int d = 0; d < ndim; ++d) {
    p.size[d] = shape[ndim - 1 - d];
    p.numel *= p.size[d];
  }
  for (int k = 0; k < count; ++k) {
    const PlanOperand& o = operands[k];
    p.ptr[k] = o.ptr;
    const int own = o.shape ? o.shape->size() : 0;
    bool fits = own <= ndim;
    for (int d = 0; d < ndim; ++d) {
      const bool moves = d < own && (*o.shape)[own - 1 - d] != 1;
      p.stride[d][k] = moves ? (*o.strides)[own - 1 - d] * o.item : 0;
      fits &= !moves || (*o.shape)[own - 1 - d] == p.size[d];
    }
    if (!fits) [[unlikely]]
      fail_misfit(*o.shape, shape);
  }
  drop_unit_dims(p);
  sort_dims(p);
  coalesce(p);
  if (p.ndim > 2) bring_near(p);
  if (p.ndim == 0) {
    p.ndim = 1;
    p.size[0] = 1;
    for (int k = 0; k < count; ++k) p.stride[0][k] = 0;
  }
}

void run_plan(const Plan& p, LoopFn loop, const void* params, unsigned numbers, double cost) {
  if (p.numel == 0) return;
  if (p.ndim == 1) {
    LoopArgs a;
    for (int k = 0; k < p.operands; ++k) {
      a.ptr[k] = p.ptr[k];
      a.inner[k] = p.stride[0][k];
    }
    a.n = p.size[0];
    a.params = params;
    a.numbers = numbers;
    return run_flat(a, p.operands, loop, cost);
  }
  int64_t rows = 1;
  for (int d = 1; d < p.ndim; ++d) rows *= p.size[d];
  const double work = cost * static_cast<double>(p.numel);
  if (work < kParallelWork || rows < 2) return run_rows(p, loop, params, numbers, 0, rows);
  const int64_t blocks = std::min<int64_t>(rows, static_cast<int64_t>(work) / kBlockWork);
  parallel_blocks(blocks,
                  [&](int64_t b) { run_rows(p, loop, params, numbers, rows * b / blocks, rows * (b + 1) / blocks); });
}

void run_flat(const LoopArgs& all, int operands, LoopFn loop, double cost) {
  const int64_t n = all.n;
  const auto run = [&](int64_t begin, int64_t end) {
    LoopArgs a;
    for (int k = 0; k < operands; ++k) {
      a.ptr[k] = all.ptr[k] + begin * all.inner[k];
      a.inner[k] = all.inner[k];
      a.outer[k] = 0;
    }
    a.n = end - begin;
    a.m = 1;
    a.params = all.params;
    a.numbers = all.numbers;
    loop(a);
  };
  const double work = cost * static_cast<double>(n);
  if (work < kParallelWork) return run(0, n);
  constexpr int64_t kStep = 1024;  // blocks start on cache lines, whatever the item
  const int64_t steps = (n + kStep - 1) / kStep;
  const int64_t blocks = std::min<int64_t>(steps, static_cast<int64_t>(work) / kBlockWork);
  parallel_blocks(blocks,
                  [&](int64_t b) { run(steps * b / blocks * kStep, std::min(n, steps * (b + 1) / blocks * kStep)); });
}

// torch sorts the dims by the operands' strides, an earlier operand first, and allocates the result densely in that
// order.
Dims result_strides(const Dims& shape, const Tensor* const* inputs, int count) {
  bool all_contiguous = true;
  for (int k = 0; k < count; ++k) all_contiguous &= inputs[k]->is_contiguous() && same_shape(*inputs[0], *inputs[k]);
  const int ndim = shape.size();
  if (all_contiguous || ndim < 2) return contiguous_strides(shape);
  int perm[kMaxDims];  // innermost first
  const auto stride_of = [&](int k, int dim) -> int64_t {
    const int i = dim - (ndim - inputs[k]->dim());
    return i < 0 || (inputs[k]->size(i) == 1 && shape[dim] != 1) ? 0 : inputs[k]->stride(i);
  };
  // 1: `a` belongs further out than `b`, -1: further in, 0: nothing tells.
  const auto compare = [&](int a, int b) {
    for (int k = 0; k < count; ++k) {
      const int64_t sa = stride_of(k, a), sb = stride_of(k, b);
      if (sa == 0 || sb == 0) continue;
      if (sa != sb) return sa < sb ? -1 : 1;
      if (shape[a] > shape[b]) return 1;
    }
    return 0;
  };
  for (int i = 0; i < ndim; ++i) perm[i] = ndim - 1 - i;
  for (int i = 1; i < ndim; ++i) {
    int at = i;
    for (int j = i - 1; j >= 0; --j) {
      const int c = compare(perm[j], perm[at]);
      if (c > 0) {
        std::swap(perm[j], perm[at]);
        at = j;
      } else if (c < 0) {
        break;
      }
    }
  }
  Dims strides(ndim);
  int64_t step = 1;
  for (int i = 0; i < ndim; ++i) {
    strides[perm[i]] = step;
    step *= shape[perm[i]] > 1 ? shape[perm[i]] : 1;
  }
  return strides;
}

}  // namespace gradcore
