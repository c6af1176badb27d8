// Copies, fills and conversions. Start at copy_raw().
#include <cmath>
#include <limits>

#include "ops/batching.h"
#include "ops/derived_core.h"
#include "ops/memory_format.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/loop.h"

namespace gradcore {

namespace {

constexpr double kCopyCost = 0.2;
LoopFn copy_kernel(DType to, DType from) { return kernels().copy.to[index_of(to)][from]; }

struct ToCopyVjp {
  static constexpr const char* kName = "ToCopyBackward0";
  DType dtype;
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = cast(g[0], dtype); }
};
struct CloneVjp {
  static constexpr const char* kName = "CloneBackward0";
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = g[0]; }
};
struct CopyVjp {
  static constexpr const char* kName = "torch::autograd::CopyBackwards";
  Dims shape;
  DType dtype;
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = zeros_like(g[0]);
    if (self.needs(1)) out[1] = cast(sum_to(g[0], shape), dtype);
  }
};
struct FillVjp {
  bool of_tensor;
  const char* name() const { return of_tensor ? "FillBackward3" : "FillBackward2"; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = zeros_like(g[0]);
    if (self.edge_count() > 1 && self.needs(1)) out[1] = sum(g[0]);
  }
};
struct ZeroVjp {
  static constexpr const char* kName = "ZeroBackward0";
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = zeros_like(g[0]); }
};

Tensor fresh_like(const Tensor& t, DType dtype) {
  if (any_batched(t)) return batch_to_front({&t}, [&](auto p, int) { return fresh_like(p[0], dtype); });
  if (t.is_contiguous()) return empty(t.shape(), dtype);
  const Tensor* in[] = {&t};
  return empty_strided(t.shape(), is_dense(t) ? t.strides() : result_strides(t.shape(), in, 1), dtype);
}

}  // namespace

// Unsigned types take negative numbers by wrapping, as torch's conversion does; a float beyond float32 is not made
// infinite.
void check_fits(const Scalar& v, DType dtype) {
  const auto refuse = [&](const char* type) { fail("value cannot be converted to type ", type, " without overflow"); };
  if (dtype == DType::Bool || dtype == DType::Float64) return;
  if (is_half(dtype)) {
    const bool is_float16 = dtype == DType::Float16;
    const double d = std::fabs(v.to_double());
    const float most = is_float16 ? std::numeric_limits<half>::max() : std::numeric_limits<bfloat16>::max();
    if (d > most && std::isfinite(d)) refuse(is_float16 ? "c10::Half" : "c10::BFloat16");
    return;
  }
  if (dtype == DType::Float32) {
    const double d = std::fabs(v.to_double());
    if (d > std::numeric_limits<float>::max() && std::isfinite(d)) refuse("float");
    return;
  }
  const std::string type = dtype == DType::Int32 ? "int" : str_cat(dtype_name(dtype), "_t");
  if (v.is_float() && !(v.to_double() > -0x1p63 && v.to_double() < 0x1p63)) refuse(type.c_str());
  const int64_t i = v.to_int();
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const uint64_t size = 0 - static_cast<uint64_t>(i);  // of a negative number, the lowest one's as well
    const bool wraps = std::is_unsigned_v<T> && i < 0 && static_cast<uint64_t>(static_cast<T>(size)) == size;
    if (static_cast<int64_t>(static_cast<T>(i)) != i && !wraps) refuse(type.c_str());
  });
}

void check_fits_alone(const Scalar& v, DType dtype) {
  if (!is_half(dtype)) check_fits(v, dtype);
}

void copy_raw(const Tensor& to, const Tensor& from) {
  const int64_t n = to.numel();
  if (n == 0) return;
  if (any_batched(to, from)) [[unlikely]] {
    const Levels levels = levels_of({&to, &from});
    check_levels(to, levels);
    return copy_raw(physical(to, levels), physical(from, levels, to.dim()));
  }
  const bool alike = same_shape(to, from);
  const bool flat =
      alike && (to.is_contiguous() ? from.is_contiguous() : to.strides() == from.strides() && is_dense(to));
  if (flat && to.dtype() == from.dtype()) {
    if (to.address() != from.address()) launch(CopyBytes(to.window(), from.window()));
    return;
  }
  LoopInput in;
  in.tensor = &from;
  launch_loop(copy_kernel(to.dtype(), from.dtype()), kCopyCost, to, {&in, 1});
}

void fill_raw(const Tensor& t, const Scalar& value) {
  if (any_batched(t)) return fill_raw(physical(t), value);
  LoopInput in;
  store(in.number, value, t.dtype());
  launch_loop(copy_kernel(t.dtype(), computed_in(t.dtype())), kCopyCost, t, {&in, 1});
}

Tensor cast(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype) return t;
  const Tensor out = fresh_like(t, dtype);
  copy_raw(out, t);
  if (is_floating(dtype) && should_record(t)) record(out, {&t}, ToCopyVjp{t.dtype()});
  return out;
}

// The history of a result that was computed in float32 and rounded: it shows as the op's own.
struct RoundedVjp {
  DType dtype;
  const char* node;
  const char* name() const { return node; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = cast(g[0], dtype); }
};
Tensor rounded(const Tensor& t, DType dtype) {
  const Tensor out = fresh_like(t, dtype);
  copy_raw(out, t);
  if (!should_record(t)) return out;
  Node* const made_by = t->meta ? meta_of(t)->grad_fn.get() : nullptr;
  record(out, {&t}, RoundedVjp{t.dtype(), made_by ? made_by->name() : ToCopyVjp::kName});
  return out;
}

Tensor clone(const Tensor& t, bool contiguous) {
  const Tensor out = contiguous ? empty_batched(levels_of({&t}), t.shape(), t.dtype()) : fresh_like(t, t.dtype());
  copy_raw(out, t);
  if (should_record(t)) record(out, {&t}, CloneVjp{});
  return out;
}

Tensor clone_in(const Tensor& t, MemoryFormat format) {
  if (format == MemoryFormat::Preserve) return clone(t);
  const Tensor out = empty_in(levels_of({&t}), t.shape(), t.dtype(), format);
  copy_raw(out, t);
  if (should_record(t)) record(out, {&t}, CloneVjp{});
  return out;
}

Tensor to_in(const Tensor& t, MaybeDType dtype, bool copy, MemoryFormat format) {
  const DType type = dtype.value_or(t.dtype());
  const bool stays = type == t.dtype() && (format == MemoryFormat::Preserve || format == suggested_format(t));
  if (stays && !copy) return t;
  const bool keeps = format == MemoryFormat::Preserve;
  const Tensor out = keeps ? fresh_like(t, type) : empty_in(levels_of({&t}), t.shape(), type, format);
  copy_raw(out, t);
  if (is_floating(type) && should_record(t)) record(out, {&t}, ToCopyVjp{t.dtype()});
  return out;
}

Tensor contiguous(const Tensor& t) { return t.is_contiguous() ? t : clone(t, true); }

void check_copy_(const Tensor& to, const Tensor& from) {
  if (!broadcastable_to(from.shape(), to.shape()))
    fail("output with shape ", to.shape(), " doesn't match the broadcast shape ",
         broadcast_shapes(to.shape(), from.shape()));
  check_levels(to, levels_of({&from}));
  check_inplace(to, needs_history(to, from));
  refuse_partial_overlap(to, from);
}

void copy_(const Tensor& to, const Tensor& from) {
  const auto node = [&]() -> Ref<Node> {
    if (!is_floating(to.dtype()) || !should_record(to, from)) return {};
    return make_node({&to, &from}, CopyVjp{from.shape(), from.dtype()});
  };
  const auto write = [&](const Tensor&) {
    // A source that may share elements with the target is read out first.
    if (to->storage.get() != from->storage.get() || is_dense(to)) return copy_raw(to, from);
    const NoRecordGuard off;
    copy_raw(to, clone(from));
  };
  write_in_place(to, [&] { check_copy_(to, from); }, node, write);
}

static void fill_with(const Tensor& t, const Tensor& value) {
  const auto check_all = [&] {
    check(value.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with ", value.dim(),
          " dimensions.");
    check_levels(t, levels_of({&value}));
    check_inplace(t, needs_history(t, value));
  };
  const auto node = [&]() -> Ref<Node> {
    if (!is_floating(t.dtype()) || !should_record(t, value)) return {};
    return make_node({&t, &value}, FillVjp{true});
  };
  write_in_place(t, check_all, node, [&](const Tensor& to) { copy_raw(to, value); });
}

static void fill_with(const Tensor& t, const Scalar& value) {
  const auto check_all = [&] {
    t.numel() == 1 ? check_fits_alone(value, t.dtype()) : check_fits(value, t.dtype());
    check_inplace(t, needs_history(t), true);  // torch lets only numbers fill memory that overlaps itself
  };
  const auto node = [&]() -> Ref<Node> {
    if (!is_floating(t.dtype()) || !should_record(t)) return {};
    return make_node({&t}, FillVjp{false});
  };
  write_in_place(t, check_all, node, [&](const Tensor& to) { fill_raw(to, value); });
}

void fill_(const Tensor& t, const Operand& value) {
  value.is_tensor() ? fill_with(t, *value.tensor) : fill_with(t, value.scalar);
}

// A tensor like `t` that is filled. Its node has torch's other names for the same gradients.
struct FilledVjp {
  FillVjp in_place;
  DType of_value;
  const char* name() const { return in_place.of_tensor ? "FillBackward1" : "FillBackward0"; }
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    in_place.vjp(self, g, out);
    if (out.size() > 1 && out[1]) out[1] = cast(out[1], of_value);
  }
};
Tensor fill(const Tensor& t, const Operand& value) {
  if (value.is_tensor()) {
    const Tensor& v = *value.tensor;
    check(v.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with ", v.dim(), " dimensions.");
    const Levels levels = levels_of({&t, &v});
    const Tensor out =
        t->batch || levels.none() ? fresh_like(t, t.dtype()) : empty_batched(levels, t.shape(), t.dtype());
    copy_raw(out, v);
    if (is_floating(t.dtype()) && should_record(t, v)) record(out, {&t, &v}, FilledVjp{{true}, v.dtype()});
    return out;
  }
  const Tensor out = full_like(t, value.scalar, t.dtype());
  if (is_floating(t.dtype()) && should_record(t)) record(out, {&t}, FilledVjp{{false}, t.dtype()});
  return out;
}

void zero_(const Tensor& t) {
  const auto write = [](const Tensor& to) {
    if (to.is_contiguous() && to.numel() * item_size(to.dtype()) <= (1 << 20)) return launch(ZeroBytes(to.window()));
    fill_raw(to, 0);
  };
  write_in_place(
      t, [&] { check_inplace(t, needs_history(t), true); },
      [&] { return should_record(t) ? make_node({&t}, ZeroVjp{}) : Ref<Node>(); }, write);
}

void fill_diagonal_(const Tensor& t, const Scalar& value, bool wrap) {
  check(t.dim() >= 2, "dimensions must larger than 1");
  for (int i = 1; t.dim() > 2 && i < t.dim(); ++i)
    check(t.size(i) == t.size(0), "all dimensions of input must be of equal length");
  int64_t step = 0, n = t.size(0);
  for (int i = 0; i < t.dim(); ++i) {
    step += t.stride(i);
    n = t.size(i) < n ? t.size(i) : n;
  }
  fill_(as_strided(t, Dims{n}, Dims{step}, t.offset()), value);
  // A tall matrix may start its diagonal again below, one row further down.
  if (!wrap || t.dim() != 2 || t.size(0) <= t.size(1) + 1) return;
  const int64_t period = t.size(1) + 1, rest = (t.size(0) * t.size(1) + t.size(1)) / period;
  for (int64_t i = n; i < rest; ++i) {
    const int64_t at = i * period, row = at / t.size(1), column = at % t.size(1);
    if (row >= t.size(0)) return;
    fill_(select(select(t, 0, row), 0, column), value);
  }
}

}  // namespace gradcore
