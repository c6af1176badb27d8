// Attention. Start at attention().
#include "ops/attention.h"

#include <cmath>
#include <limits>

#include "kernels/attention/attention.h"
#include "ops/batching.h"
#include "ops/composed_vjp.h"
#include "ops/derived_core.h"
#include "ops/dropout.h"
#include "ops/ops.h"
#include "ops/rearrange.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The size of a dim counted from the end, 1 being the last.
int64_t back(const Tensor& t, int i) { return t.size(t.dim() - i); }

struct Settings {
  double dropout;
  bool causal;
  double scale;
  bool grouped;  // heads of k and v are shared
};

// ---- as a composition: for batches of vmap, dropout, masks with gradients, and backward that has to be derivable

// Each head for all heads of q that share it.
Tensor repeated_heads(const Tensor& t, int64_t times) {
  const int at = t.dim() - 3;
  Dims wide(t.shape().span().first(static_cast<size_t>(at + 1))), out = t.shape();
  wide.push_back(times);
  for (int i = at + 1; i < t.dim(); ++i) wide.push_back(t.size(i));
  out[at] *= times;
  return reshape(expand(unsqueeze(t, at + 1), wide), out);
}

Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, const Settings& s) {
  const auto for_all = [&](const Tensor& t) {
    if (!s.grouped || q.dim() < 3 || t.dim() < 3 || back(t, 3) == 0 || back(q, 3) == back(t, 3)) return t;
    return repeated_heads(t, back(q, 3) / back(t, 3));
  };
  const Tensor keys = for_all(k), values = for_all(v);
  Tensor scores = matmul(mul(q, Scalar(s.scale)), transpose(keys, -2, -1));
  if (s.causal) {
    const Tensor later = triu(ones(Dims{back(q, 2), back(k, 2)}, DType::Bool), 1);
    scores = masked_fill(scores, later, Scalar(-kInfinity));
  }
  if (mask && mask.dtype() == DType::Bool) scores = masked_fill(scores, logical_not(mask), Scalar(-kInfinity));
  if (mask && mask.dtype() != DType::Bool) scores = add(scores, mask);
  Tensor shares;
  if (mask) {  // a row that may attend to nothing is 0
    const Tensor nothing = all(isneginf(detach(scores)), Dims{-1}, true);
    shares = masked_fill(softmax(masked_fill(scores, nothing, Scalar(0.0)), -1, {}), nothing, Scalar(0.0));
  } else {
    shares = softmax(scores, -1, {});
  }
  return matmul(s.dropout > 0 ? dropout(shares, s.dropout) : shares, values);
}

// ---- what arrives

void check_arguments(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask) {
  if (q.dim() < 2 || k.dim() < 2 || v.dim() < 2)
    fail("Expected query, key, and value to all be at least 2 dimensional, but got query.dim: ", q.dim(),
         ", key.dim: ", k.dim(), " and value.dim: ", v.dim(), " instead.");
  if (q.dtype() != k.dtype() || q.dtype() != v.dtype())
    fail("Expected query, key, and value to have the same dtype, but got query.dtype: ", dtype_name(q.dtype()),
         " key.dtype: ", dtype_name(k.dtype()), " and value.dtype: ", dtype_name(v.dtype()), " instead.");
  if (!mask) return;
  if (mask.dtype() != DType::Bool && mask.dtype() != q.dtype())
    fail("Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: ",
         dtype_name(mask.dtype()), " and  query.dtype: ", dtype_name(q.dtype()), " instead.");
}

// Whether shapes are those that the kernel takes: the same dims in front, but for shared heads.
bool same_heads(const Tensor& q, const Tensor& k, const Tensor& v, bool grouped) {
  const int n = q.dim();
  if (n > 4 || k.dim() != n || v.dim() != n) return false;
  if (back(k, 1) != back(q, 1) || back(v, 2) != back(k, 2)) return false;
  for (int i = 0; i + 2 < n; ++i) {
    if (k.size(i) != v.size(i)) return false;
    const bool divides = grouped && i == n - 3 && k.size(i) > 0 && q.size(i) % k.size(i) == 0;
    if (k.size(i) != q.size(i) && !divides) return false;
  }
  return true;
}
bool mask_fits(const Tensor& mask, const Tensor& q, const Tensor& k) {
  Dims shape = q.shape();
  shape[q.dim() - 1] = back(k, 2);
  return !mask || broadcastable_to(mask.shape(), shape);
}

// torch's kernel takes a mask beside is_causal, its composition does not: so a program is refused where torch would
// compose. Gradients of the mask and dropout are further reasons, which attention() knows.
bool torch_has_kernel(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, bool grouped) {
  if (q.numel() == 0) return true;
  if (q.dim() != 4 || (mask.dim() != 2 && mask.dim() != 4) || k.numel() == 0) return false;
  if (!same_heads(q, k, v, grouped) || back(q, 1) != back(v, 1) || !mask_fits(mask, q, k)) return false;
  return q.stride(3) == 1 && k.stride(3) == 1 && v.stride(3) == 1;
}

// ---- by the kernel

// Whose columns lie side by side.
Tensor with_dense_rows(const Tensor& t) { return back(t, 1) == 1 || t.stride(t.dim() - 1) == 1 ? t : contiguous(t); }

HeadsArg heads_arg(const Opener& open, const Tensor& t) {
  if (!t) return {};
  const int n = t.dim();
  return {open(t), n > 3 ? t.stride(n - 4) : 0, n > 2 ? t.stride(n - 3) : 0, t.stride(n - 2)};
}

AttentionSizes sizes_of(const Tensor& q, const Tensor& k, const Tensor& v, const Settings& s) {
  const int n = q.dim();
  const int64_t heads = n > 2 ? back(q, 3) : 1;
  return {.batch = n > 3 ? q.size(0) : 1,
          .heads = heads,
          .shared = n > 2 ? heads / back(k, 3) : 1,
          .queries = back(q, 2),
          .keys = back(k, 2),
          .depth = back(q, 1),
          .columns = back(v, 1),
          .scale = s.scale,
          .causal = s.causal};
}

// In the order of heads and rows that `like` has, as torch's. A network's heads are views of what a projection
// returned, and the projection after them reads rows.
Tensor empty_heads(const Dims& shape, const Tensor& like) {
  if (shape.size() < 4 || like.stride(1) >= like.stride(2)) return empty(shape, like.dtype());
  const int64_t heads = shape[1], rows = shape[2], columns = shape[3];
  return empty_strided(shape, Dims{rows * heads * columns, columns, heads * columns, 1}, like.dtype());
}

// As numbers to add, [batch, heads, queries, keys] with steps of 0.
Tensor added_mask(const Tensor& mask, const Tensor& q, const Tensor& k) {
  if (!mask) return mask;
  Tensor t = mask;
  if (t.dtype() == DType::Bool) t = where(t, full(Dims(), 0.0, q.dtype()), full(Dims(), -kInfinity, q.dtype()));
  Dims shape = q.shape();
  shape[q.dim() - 1] = back(k, 2);
  if (t.dim() > 0 && back(t, 1) == back(k, 2)) return expand(with_dense_rows(t), shape);
  Dims row = t.shape();
  if (t.dim() == 0) row.push_back(1);
  row[row.size() - 1] = back(k, 2);
  return expand(contiguous(expand(t, row)), shape);
}

struct Computed {
  Tensor out, lse;
};
Computed computed(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, const Settings& s,
                  bool keep) {
  const NoRecordGuard off;
  const Tensor q = with_dense_rows(query), k = with_dense_rows(key), v = with_dense_rows(value);
  const Tensor added = added_mask(mask, q, k);
  Dims shape = q.shape();
  shape[q.dim() - 1] = back(v, 1);
  const Dims rows(q.shape().span().first(static_cast<size_t>(q.dim() - 1)));
  const Tensor out = empty_heads(shape, q), lse = keep ? empty(rows, q.dtype()) : Tensor();
  std::vector<Access> windows{reads(q), reads(k), reads(v), writes(out)};
  if (added) windows.push_back(reads(added));
  if (lse) windows.push_back(writes(lse));
  launch_host("attention", windows, [&](Opener open) {
    const AttentionArgs args{heads_arg(open, q),   heads_arg(open, k),     heads_arg(open, v),
                             heads_arg(open, out), heads_arg(open, added), lse ? open(lse) : nullptr,
                             sizes_of(q, k, v, s)};
    kernels().attention.forward[q.dtype()](args);
  });
  return {out, lse};
}

struct AttentionVjp {
  static constexpr const char* kName = "ScaledDotProductFlashAttentionForCpuBackward0";
  static constexpr const char* kChanged = "what attention saved for backward has another shape or dtype now";
  Saved q, k, v, mask, out, lse;
  Settings settings;
  auto saves() { return std::tie(q, k, v, mask, out, lse); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> to) {
    const Tensor inputs[] = {q.unpack(&self), k.unpack(&self), v.unpack(&self)};
    const Tensor allowed = mask.defined() ? mask.unpack(&self) : Tensor();
    const Tensor result = out.unpack(&self), sums = lse.unpack(&self);
    check_operands(inputs, allowed);
    if (modes.tracking() || any_batched(g[0], inputs[0], inputs[1], inputs[2], allowed))
      return vjp_of_composed(self, inputs, g, to, [&](std::span<const Tensor> p) {
        return std::array{composed(p[0], p[1], p[2], allowed, settings)};
      });
    check_results(inputs, g[0], result, sums);
    by_kernel(inputs, allowed, g[0], result, contiguous(sums), to);
    for (int i = 0; i < 3; ++i)
      if (!self.needs(i)) to[static_cast<size_t>(i)] = Tensor();
  }
  // Hooks may have brought back anything: what was recorded had operands that fit the kernel.
  static void check_operands(const Tensor* inputs, const Tensor& allowed) {
    const Tensor &query = inputs[0], &key = inputs[1], &value = inputs[2];
    check_arguments(query, key, value, allowed);
    check(query.numel() > 0 && key.numel() > 0 && value.numel() > 0 && same_heads(query, key, value, true) &&
              mask_fits(allowed, query, key),
          kChanged);
  }
  static void check_results(const Tensor* inputs, const Tensor& g, const Tensor& result, const Tensor& sums) {
    Dims shape = inputs[0].shape();
    shape[shape.size() - 1] = back(inputs[2], 1);
    check(inputs[0].dtype() == g.dtype() && result.dtype() == g.dtype() && sums.dtype() == g.dtype() &&
              result.shape() == g.shape() && g.shape() == shape &&
              sums.shape() == Dims(g.shape().span().first(static_cast<size_t>(g.dim() - 1))),
          kChanged);
  }
  void by_kernel(const Tensor* inputs, const Tensor& allowed, const Tensor& gradient, const Tensor& result,
                 const Tensor& sums, std::span<Tensor> to) const {
    const Tensor query = with_dense_rows(inputs[0]), key = with_dense_rows(inputs[1]),
                 value = with_dense_rows(inputs[2]), g = with_dense_rows(gradient), out_rows = with_dense_rows(result),
                 added = added_mask(allowed, query, key);
    for (size_t i = 0; i < 3; ++i) to[i] = empty_heads(inputs[i].shape(), inputs[i]);
    std::vector<Access> windows{reads(query), reads(key),    reads(value),  reads(out_rows), reads(g),
                                reads(sums),  writes(to[0]), writes(to[1]), writes(to[2])};
    if (added) windows.push_back(reads(added));
    launch_host("attention_backward", windows, [&](Opener open) {
      const AttentionBackwardArgs args{.q = heads_arg(open, query),
                                       .k = heads_arg(open, key),
                                       .v = heads_arg(open, value),
                                       .out = heads_arg(open, out_rows),
                                       .g = heads_arg(open, g),
                                       .mask = heads_arg(open, added),
                                       .lse = open(sums),
                                       .dq = heads_arg(open, to[0]),
                                       .dk = heads_arg(open, to[1]),
                                       .dv = heads_arg(open, to[2]),
                                       .sizes = sizes_of(query, key, value, settings)};
      kernels().attention.backward[query.dtype()](args);
    });
  }
};

}  // namespace

Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, double dropout,
                 bool causal, std::optional<double> scale, bool grouped_heads) {
  check_arguments(query, key, value, mask);
  const bool grouped = grouped_heads && query.dim() > 2 && key.dim() > 2 && value.dim() > 2;
  check(
      !causal || !mask || (dropout == 0 && !should_record(mask) && torch_has_kernel(query, key, value, mask, grouped)),
      "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
  if (grouped)
    for (const Tensor* t : {&key, &value})
      check(back(*t, 3) > 0 && back(query, 3) % back(*t, 3) == 0,
            "Number of heads in key and value must divide the number of heads in query");
  const Settings s{dropout, causal, scale ? *scale : 1 / std::sqrt(static_cast<double>(back(query, 1))), grouped};
  const bool by_kernel = dropout == 0 && is_floating(query.dtype()) && query.numel() > 0 && key.numel() > 0 &&
                         value.numel() > 0 && same_heads(query, key, value, grouped) && mask_fits(mask, query, key) &&
                         !any_batched(query, key, value, mask) && !should_record(mask);
  if (!by_kernel) return composed(query, key, value, mask, s);
  const bool recorded = should_record(query, key, value);
  const Computed r = computed(query, key, value, mask, s, recorded);
  if (recorded)
    record(r.out, {&query, &key, &value},
           AttentionVjp{Saved(query), Saved(key), Saved(value), mask ? Saved(mask) : Saved(), Saved::output(r.out),
                        Saved(r.lse), s});
  return r.out;
}

}  // namespace gradcore
