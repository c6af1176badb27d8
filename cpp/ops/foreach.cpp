// Lists of tensors. Start at for_each_tensor_(): checks the whole list, then runs it together or one by one.
#include "ops/foreach.h"

#include "ops/derived_core.h"

#include <algorithm>
#include <cmath>

#include "autograd/transforms.h"
#include "autograd/views.h"
#include "core/multi_tensor.h"
#include "ops/reduce.h"

namespace gradcore {

namespace {

void check_not_empty(const Tensors& tensors) { check(!tensors.empty(), "Tensor list must have at least one tensor."); }

void check_lengths(size_t n, size_t other) {
  check(n == other, "Tensor lists must have the same number of tensors, got ", n, " and ", other);
}

std::vector<ElementwiseCall> make_calls(MakeCall make, const ForeachArgs& args) {
  check_not_empty(args.self);
  const size_t n = args.self.size();
  for (const Each& each : args.in) each.check_length(n);
  args.value.check_length(n);
  std::vector<ElementwiseCall> calls;
  calls.reserve(n);
  for (size_t i = 0; i < n; ++i)
    calls.push_back(make({args.self[i], {args.in[0].operand(i), args.in[1].operand(i)}, args.value.scalar(i)}));
  return calls;
}

// The dense loops of all calls; empty where one of them is recorded or has none.
using Loops = std::vector<DenseLoop>;
Loops dense_loops(std::span<const ElementwiseCall> calls) {
  Loops loops(calls.size());
  for (size_t i = 0; i < calls.size(); ++i) {
    const ElementwiseCall& c = calls[i];
    if (c.compute || recording(*c.op, c.operands()) || !make_dense_loop(loops[i], *c.op, c.operands(), c.params))
      return {};
  }
  return loops;
}

// These loops are simple and their operands lie in the cache, if anywhere: a second thread gains little below
// this, and costs milliseconds where another program has its core.
bool worth_a_fork(const Loops& loops) {
  constexpr double kForkWork = 64e3;  // nanoseconds
  double work = 0;
  for (const DenseLoop& d : loops) work += d.loop.work();
  return work > kForkWork;
}

// One pass over all of the loops.
class LoopsTogether final : public Instruction {
 public:
  static constexpr bool kOwnsAll = false;
  explicit LoopsTogether(const Loops& loops) : loops_(loops) {}
  const char* name() const { return "loops"; }
  bool fails() const { return false; }
  void run() const {
    struct Item {
      int64_t n;
      const FlatLoop* loop;
    };
    std::vector<Item> items;
    items.reserve(loops_.size());
    for (const DenseLoop& d : loops_) items.push_back({d.loop.n(), &d.loop});
    for_each_slice(std::span<const Item>(items), true,
                   [](const Item& i, int64_t begin, int64_t end) { i.loop->run_slice(begin, end); });
  }
  template <class F> void touches(F&& f) const {
    for (const DenseLoop& d : loops_) d.loop.touches(f);
  }

 private:
  const Loops& loops_;
};

void run(Loops& loops, bool parallel) {
  if (parallel) return launch(LoopsTogether(loops));
  for (DenseLoop& d : loops) launch(d.loop);
}

// Note [Lists that share memory]
// One by one, a tensor of the list sees what was written before it. Run together, the order is open: so a
// list in which an item touches what another one writes (the same parameter twice, a view beside its base) is
// not run together.
struct Bytes {
  uintptr_t begin, end;
};
bool touch_each_other(const Loops& loops) {
  std::vector<Bytes> written;
  written.reserve(loops.size());
  for (const DenseLoop& d : loops)
    d.loop.touches([&](const Touch& t) {
      if (t.written) written.push_back({t.first, t.first + t.extent});
    });
  std::sort(written.begin(), written.end(), [](const Bytes& a, const Bytes& b) { return a.begin < b.begin; });
  for (size_t i = 1; i < written.size(); ++i)
    if (written[i].begin < written[i - 1].end) return true;
  // What is written is disjoint and in order: only the last piece that begins before the end can reach in here.
  const auto reaches_into_written = [&](const Touch& t) {
    const auto after = std::lower_bound(written.begin(), written.end(), t.first + t.extent,
                                        [](const Bytes& w, uintptr_t p) { return w.begin < p; });
    return after != written.begin() && t.first < (after - 1)->end;
  };
  for (const DenseLoop& d : loops) {
    uintptr_t own = 0;
    bool found = false;
    d.loop.touches([&](const Touch& t) {
      if (t.written)
        own = t.first;
      else if (t.first != own && reaches_into_written(t))
        found = true;
    });
    if (found) return true;
  }
  return false;
}

void run_one_by_one(std::span<const ElementwiseCall> calls, const Tensors& self) {
  for (size_t i = 0; i < calls.size(); ++i) elementwise_(calls[i], self[i]);
}

}  // namespace

void Each::check_length(size_t n) const {
  if (const auto* tensors = std::get_if<Tensors>(&value_)) check_lengths(n, tensors->size());
  if (const auto* numbers = std::get_if<std::vector<Scalar>>(&value_))
    check(numbers->size() == n, "Tensor list must have same number of elements as scalar list.");
}

Operand Each::operand(size_t i) const {
  if (const auto* number = std::get_if<Scalar>(&value_)) return *number;
  if (const auto* tensor = std::get_if<Tensor>(&value_)) return *tensor;
  if (const auto* numbers = std::get_if<std::vector<Scalar>>(&value_)) return (*numbers)[i];
  return std::get<Tensors>(value_)[i];
}

Tensors for_each_tensor(MakeCall make, const ForeachArgs& args) {
  const std::vector<ElementwiseCall> calls = make_calls(make, args);
  Tensors out;
  out.reserve(calls.size());
  Loops loops = dense_loops(calls);
  if (loops.empty()) {
    for (const ElementwiseCall& c : calls) out.push_back(elementwise(c));
    return out;
  }
  for (size_t i = 0; i < loops.size(); ++i) {
    out.push_back(empty_as(*calls[i].in[0].tensor, loops[i].result));
    loops[i].set_output(out[i]);
  }
  run(loops, worth_a_fork(loops));
  return out;
}

void for_each_tensor_(MakeCall make, const ForeachArgs& args) {
  const LeaveTransforms captured_too;
  const std::vector<ElementwiseCall> calls = make_calls(make, args);
  Loops loops = dense_loops(calls);
  if (loops.empty()) {
    for (size_t i = 0; i < calls.size(); ++i) check_elementwise_(calls[i], args.self[i]);
    return run_one_by_one(calls, args.self);
  }
  for (size_t i = 0; i < loops.size(); ++i) {
    check_dense_write(args.self[i], calls[i].operands());
    loops[i].set_output(args.self[i]);
  }
  const bool parallel = worth_a_fork(loops);  // Note [Lists that share memory]
  if (parallel && touch_each_other(loops)) return run_one_by_one(calls, args.self);
  run(loops, parallel);
  for (const Tensor& t : args.self) finish_inplace(t, nullptr);
}

Tensors foreach_norm(const Tensors& tensors, const Scalar& ord, MaybeDType dtype) {
  check_not_empty(tensors);
  check(ord.kind() != Category::Bool, "_foreach_norm expects ord to be integer or float");
  const double p = ord.to_double();
  for (const Tensor& t : tensors)
    check(t.numel() || p != INFINITY,
          "_foreach_norm cannot compute the infinity norm on an empty tensor because the operation "
          "does not have an identity");
  return norms(tensors, p, dtype);
}

Tensors foreach_max(const Tensors& tensors) {
  check_not_empty(tensors);
  Tensors out;
  out.reserve(tensors.size());
  for (const Tensor& t : tensors) {
    check(t.numel(),
          "_foreach_max cannot compute the maximum of an empty tensor; max over zero elements is undefined.");
    out.push_back(max(t));
  }
  return out;
}

void foreach_zero_(const Tensors& tensors) {
  const LeaveTransforms captured_too;
  check_not_empty(tensors);
  for (const Tensor& t : tensors) check_inplace(t, needs_history(t));
  for (const Tensor& t : tensors) zero_(t);
}

void foreach_copy_(const Tensors& to, const Tensors& from) {
  const LeaveTransforms captured_too;
  check_not_empty(to);
  check_lengths(to.size(), from.size());
  for (size_t i = 0; i < to.size(); ++i) check_copy_(to[i], from[i]);
  for (size_t i = 0; i < to.size(); ++i) copy_(to[i], from[i]);
}

Each one_for_all(const Tensor& t) {
  check(t.dim() == 0, "scalar tensor expected to be 0 dim but it has ", t.dim(), " dimensions and ", t.numel(),
        " elements.");
  return Each(t);
}
Each one_for_all(const Tensor& t, const Scalar& alpha) {
  Each each = one_for_all(t);
  if (alpha.to_double() != 1 || should_record(t)) return each;
  return Each(item(t));
}

std::vector<Scalar> packed_scalars(const Tensor& scalars, size_t n) {
  check(scalars.dim() == 1, "Expected packed scalar Tensor to be of dimension 1. Got ", scalars.dim(), " instead.");
  check(scalars.is_contiguous(), "Expected scalars to be contiguous.");
  check(static_cast<size_t>(scalars.numel()) == n, "Expected length of scalars to match input of length ", n,
        " but got ", scalars.numel(), " instead.");
  if (should_record(scalars))
    fail(ErrorKind::NotImplemented, "the derivative to a tensor of scalars is not implemented: detach() it");
  std::vector<Scalar> out;
  out.reserve(n);
  visit_dtype(scalars.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide =
        std::conditional_t<std::is_same_v<T, bool>, bool, std::conditional_t<std::is_integral_v<T>, int64_t, double>>;
    for (size_t i = 0; i < n; ++i) out.push_back(static_cast<Wide>(scalars.host<T>()[i]));
  });
  return out;
}

}  // namespace gradcore
