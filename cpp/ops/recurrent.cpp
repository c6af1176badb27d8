// Recurrent layers. Start at layer(): one layer in one direction is one op.
//
// Note [One product for all steps]
// What the inputs add to the gates does not depend on the state: it is one product for all steps together, and so are
// the gradients of weights and inputs. Only what the state adds goes step by step (kernels/recurrent). A batch that is
// not packed is the packed one whose steps all have the same number of rows.
#include "ops/recurrent.h"

#include <array>

#include "ops/autocast.h"
#include "ops/batching.h"
#include "ops/composed_vjp.h"
#include "ops/dropout.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

enum Part { kX, kH, kC, kWih, kWhh, kBih, kBhh, kWhr, kParts };
using Operands = std::array<Tensor, kParts>;  // those that a layer does without are undefined

// The steps of a layer. Step t has the rows [first[t], first[t + 1]).
struct Steps {
  Recurrence kind;
  bool reverse;
  Tensor first;
  int64_t rows, batch;  // rows of all steps, and of the first
  int64_t count() const { return first.size(0) - 1; }
};

// ---- as a composition: for batches of vmap, projections, and backward that has to be derivable

struct State {
  Tensor h, c;
};

State next_state(Recurrence kind, const Operands& o, const Tensor& from_input, const State& s) {
  const Tensor from_state = linear(s.h, o[kWhh], o[kBhh]);
  if (kind == Recurrence::Tanh) return {tanh(add(from_input, from_state)), {}};
  if (kind == Recurrence::Relu) return {relu(add(from_input, from_state)), {}};
  if (kind == Recurrence::Lstm) {
    const std::vector<Tensor> g = chunk(add(from_input, from_state), 4, -1);
    const Tensor c = add(mul(sigmoid(g[1]), s.c), mul(sigmoid(g[0]), tanh(g[2])));
    const Tensor h = mul(sigmoid(g[3]), tanh(c));
    return {o[kWhr] ? linear(h, o[kWhr], Tensor()) : h, c};
  }
  const std::vector<Tensor> x = chunk(from_input, 3, -1), h = chunk(from_state, 3, -1);
  const Tensor r = sigmoid(add(x[0], h[0])), z = sigmoid(add(x[1], h[1]));
  const Tensor n = tanh(add(x[2], mul(r, h[2])));
  return {add(mul(sub(s.h, n), z), n), {}};
}

Tensor rows_of(const Tensor& t, int64_t from, int64_t to) { return t ? narrow(t, 0, from, to - from) : t; }
Tensor below(const Tensor& top, const Tensor& bottom) {
  if (!top || bottom.size(0) == 0) return top;
  const Tensor both[] = {top, bottom};
  return cat(both, 0);
}

// All steps: the outputs and the last state.
std::vector<Tensor> composed(const Steps& steps, const Operands& o) {
  const int64_t* const first = steps.first.host<int64_t>();
  const int64_t count = steps.count();
  const Tensor gates = linear(o[kX], o[kWih], o[kBih]);
  State now{o[kH], o[kC]};
  std::vector<Tensor> outputs(static_cast<size_t>(count));
  for (int64_t s = 0; s < count; ++s) {
    const int64_t t = steps.reverse ? count - 1 - s : s, rows = first[t + 1] - first[t], all = now.h.size(0);
    // Rows beyond those of the step have ended, or (in reverse) not begun.
    const State next =
        next_state(steps.kind, o, narrow(gates, 0, first[t], rows), {rows_of(now.h, 0, rows), rows_of(now.c, 0, rows)});
    now = {below(next.h, rows_of(now.h, rows, all)), next.c ? below(next.c, rows_of(now.c, rows, all)) : Tensor()};
    outputs[static_cast<size_t>(t)] = next.h;
  }
  std::vector<Tensor> results{cat(outputs, 0), now.h};
  if (steps.kind == Recurrence::Lstm) results.push_back(now.c);
  return results;
}

// ---- what arrives is checked: the kernel relies on it

void check_operands(const char* what, Recurrence kind, const Operands& o) {
  const auto dims = [&](const Tensor& t, int n) {
    check(!t || t.dim() == n, what, ": expected a tensor of ", n, " dims, but got one of ", t ? t.dim() : 0);
  };
  for (const Part part : {kX, kH, kC}) dims(o[part], 2);
  const int64_t features = o[kX].size(1), state = o[kH].size(1), hidden = o[kC] ? o[kC].size(1) : state,
                rows = gates_of(kind) * hidden;
  const auto has = [&](const Tensor& t, const Dims& shape, const char* name) {
    if (t && !(t.shape() == shape)) fail(what, ": expected ", name, " of shape ", shape, ", but got ", t.shape());
  };
  has(o[kWih], {rows, features}, "weight_ih");
  has(o[kWhh], {rows, state}, "weight_hh");
  has(o[kBih], {rows}, "bias_ih");
  has(o[kBhh], {rows}, "bias_hh");
  has(o[kWhr], {state, hidden}, "weight_hr");
  if (!o[kWhr]) has(o[kC], {o[kH].size(0), state}, "the cell state");
  for (const Tensor& t : o)
    if (t && t.dtype() != o[kX].dtype())
      fail(what, ": expected all tensors to have the dtype of the input, ", scalar_type_name(o[kX].dtype()),
           ", but found ", scalar_type_name(t.dtype()));
  check(is_floating(o[kX].dtype()), ErrorKind::NotImplemented, "\"", what, "\" not implemented for '",
        scalar_type_name(o[kX].dtype()), "'");
}

// ---- by the kernel

// What the two biases add together, where nothing comes between them.
Tensor bias_of_input(Recurrence kind, const Operands& o) {
  if (kind == Recurrence::Gru || !o[kBhh]) return o[kBih];
  return o[kBih] ? add(o[kBih], o[kBhh]) : o[kBhh];
}
Tensor fresh(const Tensor& t) { return clone(t, true); }

struct Computed {
  std::vector<Tensor> results;
  Tensor gates, before, extra;
};
Computed computed(const Steps& steps, const Operands& o, bool keep) {
  const NoRecordGuard off;
  const DType dtype = o[kX].dtype();
  const Tensor gates = linear(o[kX], o[kWih], bias_of_input(steps.kind, o)), h = fresh(o[kH]);
  const Tensor c = o[kC] ? fresh(o[kC]) : Tensor(), w = contiguous(o[kWhh]);
  const Tensor bias = steps.kind == Recurrence::Gru && o[kBhh] ? contiguous(o[kBhh]) : Tensor();
  const Dims shape{gates.size(0), h.size(1)};
  const Tensor out = empty(shape, dtype), before = keep ? empty(shape, dtype) : Tensor();
  const Tensor extra =
      keep && (steps.kind == Recurrence::Lstm || steps.kind == Recurrence::Gru) ? empty(shape, dtype) : Tensor();
  std::vector<Access> windows{reads(w), reads(steps.first), writes(gates), writes(h), writes(out)};
  for (const Tensor* t : {&c, &before, &extra})
    if (*t) windows.push_back(writes(*t));
  if (bias) windows.push_back(reads(bias));
  launch_host("recurrent", windows, [&](Opener open) {
    const auto at = [&](const Tensor& t) { return t ? open(t) : nullptr; };
    const RecurrentArgs args{at(w),         at(bias),  at(gates),
                             at(h),         at(c),     at(out),
                             at(before),    at(extra), open.operator()<int64_t>(steps.first),
                             steps.count(), h.size(0), h.size(1),
                             steps.reverse};
    kernels().recurrent.forward[static_cast<int>(steps.kind)][dtype](args);
  });
  Computed r{{out, h}, gates, before, extra};
  if (c) r.results.push_back(c);
  return r;
}

struct RecurrentLayerVjp {
  static constexpr const char* kName = "RecurrentLayerBackward0";
  Steps steps;
  std::vector<Saved> operands;
  Saved gates, before, extra;
  auto saves() { return std::tie(operands, gates, before, extra); }

  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    Operands o;
    for (size_t i = 0; i < operands.size(); ++i)
      if (operands[i].defined()) o[i] = operands[i].unpack(&self);
    const Tensor acts = gates.unpack(&self), h = before.unpack(&self);
    const Tensor more = extra.defined() ? extra.unpack(&self) : Tensor();
    bool batched = false;
    for (const Tensor& t : g) batched |= any_batched(t);
    for (const Tensor& t : o) batched |= any_batched(t);
    if (modes.tracking() || batched) {
      vjp_of_composed(self, o, g, out, [&](std::span<const Tensor> points) {
        Operands moved;
        std::copy(points.begin(), points.end(), moved.begin());
        return composed(steps, moved);
      });
    } else {
      check_unpacked(o, acts, h, more);
      by_kernel(self, g, o, contiguous(acts), contiguous(h), more ? contiguous(more) : more, out);
    }
  }

  // Hooks may have brought back anything.
  void check_unpacked(const Operands& o, const Tensor& acts, const Tensor& h, const Tensor& more) const {
    check_operands("backward of a recurrent layer", steps.kind, o);
    const int64_t hidden = o[kH].size(1);
    const auto has = [&](const Tensor& t, const Dims& shape) {
      return !t || (t.shape() == shape && t.dtype() == o[kX].dtype());
    };
    check(o[kX].size(0) == steps.rows && o[kH].size(0) == steps.batch &&
              has(acts, {steps.rows, gates_of(steps.kind) * hidden}) && has(h, {steps.rows, hidden}) &&
              has(more, {steps.rows, hidden}),
          "what a recurrent layer saved for backward has another shape or dtype now");
  }
  void by_kernel(Node& self, std::span<const Tensor> g, const Operands& o, const Tensor& acts, const Tensor& h,
                 const Tensor& more, std::span<Tensor> out) const {
    const AutocastOff off;
    const auto part = [&](size_t i, const Tensor& like) {
      return i < g.size() && g[i] ? fresh(g[i]) : zeros(like.shape(), like.dtype());
    };
    const Tensor dh = part(1, o[kH]), dc = o[kC] ? part(2, o[kC]) : Tensor();
    const Tensor to_input = empty(acts.shape(), acts.dtype());
    const Tensor to_state = steps.kind == Recurrence::Gru ? empty(acts.shape(), acts.dtype()) : to_input;
    step_back(o, acts, h, more, g[0] ? contiguous(g[0]) : Tensor(), dh, dc, to_input, to_state);
    std::array<bool, kParts> wanted{};
    for (int i = 0; i < self.edge_count(); ++i) wanted[static_cast<size_t>(i)] = self.needs(i);
    if (wanted[kX]) out[kX] = mm(to_input, o[kWih]);
    if (wanted[kH]) out[kH] = dh;
    if (dc && wanted[kC]) out[kC] = dc;
    if (wanted[kWih]) out[kWih] = mm(t(to_input), o[kX]);
    if (wanted[kWhh]) out[kWhh] = mm(t(to_state), h);
    if (wanted[kBih]) out[kBih] = sum(to_input, Dims{0});
    if (wanted[kBhh])
      out[kBhh] = out[kBih] && steps.kind != Recurrence::Gru ? fresh(out[kBih]) : sum(to_state, Dims{0});
  }
  void step_back(const Operands& o, const Tensor& acts, const Tensor& h, const Tensor& more, const Tensor& g,
                 const Tensor& dh, const Tensor& dc, const Tensor& to_input, const Tensor& to_state) const {
    const Tensor w = contiguous(o[kWhh]);
    std::vector<Access> windows{reads(w),   reads(acts),      reads(h),        reads(steps.first),
                                writes(dh), writes(to_input), writes(to_state)};
    for (const Tensor* t : {&more, &g})
      if (*t) windows.push_back(reads(*t));
    if (dc) windows.push_back(writes(dc));
    launch_host("recurrent_backward", windows, [&](Opener open) {
      const auto at = [&](const Tensor& t) { return t ? open(t) : nullptr; };
      const RecurrentBackwardArgs args{.w = at(w),
                                       .gates = at(acts),
                                       .before = at(h),
                                       .extra = at(more),
                                       .g = at(g),
                                       .dh = at(dh),
                                       .dc = at(dc),
                                       .to_input = at(to_input),
                                       .to_state = at(to_state),
                                       .first = open.operator()<int64_t>(steps.first),
                                       .steps = steps.count(),
                                       .batch = dh.size(0),
                                       .hidden = dh.size(1),
                                       .reverse = steps.reverse};
      kernels().recurrent.backward[static_cast<int>(steps.kind)][acts.dtype()](args);
    });
  }
};

// One layer in one direction.
std::vector<Tensor> layer(const Steps& steps, const Operands& o) {
  const AutocastOff off;  // the kernels take what the products return for tensors of the operands' dtype
  bool plain = !o[kWhr] && o[kX].numel() > 0 && o[kH].numel() > 0 && is_floating(o[kX].dtype());
  for (const Tensor& t : o) plain = plain && !any_batched(t);
  if (!plain) return composed(steps, o);
  const bool recorded = should_record(o[kX], o[kH], o[kC], o[kWih], o[kWhh], o[kBih], o[kBhh]);
  Computed r = computed(steps, o, recorded);
  if (!recorded) return r.results;
  RecurrentLayerVjp vjp{steps, {}, Saved(r.gates), Saved(r.before), r.extra ? Saved(r.extra) : Saved()};
  for (const Tensor& t : std::span(o).first(kWhr)) vjp.operands.push_back(t ? Saved(t) : Saved());
  const Tensor* const inputs[] = {&o[kX], &o[kH], &o[kC], &o[kWih], &o[kWhh], &o[kBih], &o[kBhh]};
  record_outputs(r.results, make_node(std::span(inputs), std::move(vjp), static_cast<uint32_t>(r.results.size())));
  return r.results;
}

Tensor first_rows(int64_t steps, int64_t rows) {
  const Tensor first = empty(Dims{steps + 1}, DType::Int64);
  int64_t* const to = first.host<int64_t>();
  for (int64_t t = 0; t <= steps; ++t) to[t] = t * rows;
  return first;
}
Tensor first_rows(const Tensor& batch_sizes, int64_t rows) {
  check(batch_sizes.dim() == 1 && batch_sizes.dtype() == DType::Int64 && batch_sizes.size(0) > 0,
        "batch_sizes must be a 1-D tensor of int64 with at least one element");
  const Tensor sizes = contiguous(batch_sizes), first = empty(Dims{sizes.size(0) + 1}, DType::Int64);
  const int64_t* const from = sizes.host<int64_t>();
  int64_t* const to = first.host<int64_t>();
  to[0] = 0;
  int64_t before = rows;
  for (int64_t t = 0; t < sizes.size(0); ++t) {
    const int64_t size = __atomic_load_n(from + t, __ATOMIC_RELAXED);  // read once: another thread may write to it
    check(size > 0 && (t == 0 || size <= before), "batch_sizes must be positive and not rise");
    check(size <= rows - to[t], "batch_sizes add up to more than the rows of the input, ", rows);
    to[t + 1] = to[t] + size;
    before = size;
  }
  check(to[sizes.size(0)] == rows, "batch_sizes add up to ", to[sizes.size(0)], " rows, but the input has ", rows);
  return first;
}

constexpr const char* kNames[] = {"rnn_tanh", "rnn_relu", "lstm", "gru"};

// The parameters of a layer and direction, which are the `which`-th.
Operands operands_at(std::span<const Tensor> params, size_t which, size_t each, const RecurrentOptions& options) {
  const std::span<const Tensor> own = params.subspan(which * each, each);
  Operands o;
  o[kWih] = own[0];
  o[kWhh] = own[1];
  if (options.biases) {
    o[kBih] = own[2];
    o[kBhh] = own[3];
  }
  if (each % 2) o[kWhr] = own[each - 1];
  return o;
}

// x: (rows of all steps, features).
std::vector<Tensor> layers(Recurrence kind, Tensor x, const Tensor& first, int64_t batch, std::span<const Tensor> state,
                           std::span<const Tensor> params, const RecurrentOptions& options) {
  const char* const what = kNames[static_cast<int>(kind)];
  const bool cell = kind == Recurrence::Lstm;
  const size_t directions = options.bidirectional ? 2 : 1;
  check(state.size() == (cell ? 2u : 1u), what, " expects two hidden states");
  check(options.layers > 0, what, ": num_layers must be greater than zero");
  check(options.dropout >= 0 && options.dropout <= 1, "dropout probability has to be between 0 and 1, but got ",
        options.dropout);
  const size_t count = static_cast<size_t>(options.layers) * directions, least = options.biases ? 4 : 2;
  const size_t each = params.size() / count;
  check(params.size() == count * each && (each == least || (cell && each == least + 1)),
        "got an incorrect number of RNN parameters");
  for (const Tensor& s : state)
    if (s.dim() != 3 || s.size(0) != static_cast<int64_t>(count) || s.size(1) != batch)
      fail("Expected hidden size (", count, ", ", batch, ", ", s.dim() == 3 ? s.size(2) : 0, "), got ", s.shape());
  std::vector<Tensor> last[2];
  for (int64_t level = 0; level < options.layers; ++level) {
    std::vector<Tensor> outputs;
    for (size_t direction = 0; direction < directions; ++direction) {
      const size_t which = static_cast<size_t>(level) * directions + direction;
      Operands o = operands_at(params, which, each, options);
      o[kX] = x;
      o[kH] = select(state[0], 0, static_cast<int64_t>(which));
      if (cell) o[kC] = select(state[1], 0, static_cast<int64_t>(which));
      check_operands(what, kind, o);
      const std::vector<Tensor> r = layer({kind, direction == 1, first, x.size(0), batch}, o);
      outputs.push_back(r[0]);
      for (size_t i = 1; i < r.size(); ++i) last[i - 1].push_back(r[i]);
    }
    x = directions == 1 ? outputs[0] : cat(outputs, -1);
    if (options.dropout > 0 && options.train && level + 1 < options.layers) x = dropout(x, options.dropout);
  }
  std::vector<Tensor> results{x, stack(last[0], 0)};
  if (cell) results.push_back(stack(last[1], 0));
  return results;
}

}  // namespace

std::vector<Tensor> recurrent(Recurrence kind, const Tensor& x, std::span<const Tensor> state,
                              std::span<const Tensor> params, const RecurrentOptions& options, bool batch_first) {
  const char* const what = kNames[static_cast<int>(kind)];
  check(x.dim() == 3, what, ": expected input to be 3-D, got ", x.dim(), "-D");
  const Tensor steps = batch_first ? transpose(x, 0, 1) : x;
  const int64_t length = steps.size(0), batch = steps.size(1);
  check(length > 0, "Expected sequence length to be larger than 0 in RNN");
  const Tensor rows = reshape(steps, Dims{length * batch, steps.size(2)});
  std::vector<Tensor> r = layers(kind, rows, first_rows(length, batch), batch, state, params, options);
  r[0] = unsafe_view(r[0], Dims{length, batch, r[0].size(1)});
  if (batch_first) r[0] = transpose(r[0], 0, 1);
  return r;
}

std::vector<Tensor> recurrent_packed(Recurrence kind, const Tensor& x, const Tensor& batch_sizes,
                                     std::span<const Tensor> state, std::span<const Tensor> params,
                                     const RecurrentOptions& options) {
  const char* const what = kNames[static_cast<int>(kind)];
  check(x.dim() == 2, what, ": expected the data of a packed sequence to be 2-D, got ", x.dim(), "-D");
  const Tensor first = first_rows(batch_sizes, x.size(0));
  return layers(kind, x, first, first.host<int64_t>()[1], state, params, options);
}

std::vector<Tensor> recurrent_cell(Recurrence kind, const Tensor& x, std::span<const Tensor> state, const Tensor& w_ih,
                                   const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh) {
  const bool cell = kind == Recurrence::Lstm;
  check(!cell || state.size() == 2, "lstm_cell expects two hidden states");
  check(x.dim() == 2 && w_ih.dim() == 2 && w_hh.dim() == 2, "expected input and weights to be 2-D, but got ", x.dim(),
        "-D, ", w_ih.dim(), "-D and ", w_hh.dim(), "-D");
  check(x.size(1) == w_ih.size(1), "input has inconsistent input_size: got ", x.size(1), " expected ", w_ih.size(1));
  for (size_t i = 0; i < state.size(); ++i) {
    check(state[i].dim() == 2, "expected hidden", i, " to be 2-D, but got ", state[i].dim(), "-D");
    check(state[i].size(0) == x.size(0), "Input batch size ", x.size(0), " doesn't match hidden", i, " batch size ",
          state[i].size(0));
    check(state[i].size(1) == w_hh.size(1), "hidden", i, " has inconsistent hidden_size: got ", state[i].size(1),
          ", expected ", w_hh.size(1));
  }
  const Operands o{x, state[0], cell ? state[1] : Tensor(), w_ih, w_hh, b_ih, b_hh, Tensor()};
  check_operands(kNames[static_cast<int>(kind)], kind, o);
  const std::vector<Tensor> r = layer({kind, false, first_rows(1, x.size(0)), x.size(0), x.size(0)}, o);
  return {r.begin() + 1, r.end()};
}

}  // namespace gradcore
