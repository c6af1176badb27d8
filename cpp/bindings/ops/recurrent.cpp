// Recurrent layers and cells.
#include "ops/recurrent.h"

#include "bindings/ops/register.h"

namespace gradcore {

namespace {

using Tensors = std::vector<Tensor>;

template <Recurrence kind>
Tensors whole(const Tensor& x, const Tensor& h, const Tensors& params, bool biases, int64_t layers, double dropout,
              bool train, bool bidirectional, bool batch_first) {
  return recurrent(kind, x, {&h, 1}, params, {biases, layers, dropout, train, bidirectional}, batch_first);
}
template <Recurrence kind>
Tensors packed(const Tensor& x, const Tensor& batch_sizes, const Tensor& h, const Tensors& params, bool biases,
               int64_t layers, double dropout, bool train, bool bidirectional) {
  return recurrent_packed(kind, x, batch_sizes, {&h, 1}, params, {biases, layers, dropout, train, bidirectional});
}
template <Recurrence kind>
Tensor cell(const Tensor& x, const Tensor& h, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
            const Tensor& b_hh) {
  return recurrent_cell(kind, x, {&h, 1}, w_ih, w_hh, b_ih, b_hh)[0];
}

Tensors lstm(const Tensor& x, const Tensors& hx, const Tensors& params, bool biases, int64_t layers, double dropout,
             bool train, bool bidirectional, bool batch_first) {
  return recurrent(Recurrence::Lstm, x, hx, params, {biases, layers, dropout, train, bidirectional}, batch_first);
}
Tensors lstm_packed(const Tensor& x, const Tensor& batch_sizes, const Tensors& hx, const Tensors& params, bool biases,
                    int64_t layers, double dropout, bool train, bool bidirectional) {
  return recurrent_packed(Recurrence::Lstm, x, batch_sizes, hx, params,
                          {biases, layers, dropout, train, bidirectional});
}
Tensors lstm_cell(const Tensor& x, const Tensors& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                  const Tensor& b_hh) {
  return recurrent_cell(Recurrence::Lstm, x, hx, w_ih, w_hh, b_ih, b_hh);
}

// torch's GRU goes back to float32 with its hidden state, which is none of a product's operands.
constexpr Autocast autocast_of(Recurrence type) { return type == Recurrence::Gru ? Autocast::None : Autocast::Lower; }

#define GC_LAYER(name, type)                                                                                     \
  op(name                                                                                                        \
     "(Tensor input, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, "   \
     "bool bidirectional, bool batch_first) -> Tensor[]",                                                        \
     fn<whole<type>>, {.kind = kFunction, .autocast = autocast_of(type)}),                                       \
      op(name                                                                                                    \
         "(Tensor data, Tensor batch_sizes, Tensor hx, Tensor[] params, bool has_biases, int num_layers, float " \
         "dropout, bool train, bool bidirectional) -> Tensor[]",                                                 \
         fn<packed<type>>, {.kind = kFunction, .autocast = autocast_of(type)})
#define GC_CELL(name, type)                                                                                      \
  op(name "(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor", \
     fn<cell<type>>, {.kind = kFunction, .autocast = autocast_of(type)})

constexpr OpRow kRows[] = {
    op("lstm(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, "
       "bool bidirectional, bool batch_first) -> Tensor[]",
       fn<lstm>, {.kind = kFunction, .autocast = Autocast::Lower}),
    op("lstm(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float "
       "dropout, bool train, bool bidirectional) -> Tensor[]",
       fn<lstm_packed>, {.kind = kFunction}),
    GC_LAYER("gru", Recurrence::Gru),
    GC_LAYER("rnn_tanh", Recurrence::Tanh),
    GC_LAYER("rnn_relu", Recurrence::Relu),
    op("lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> "
       "Tensor[]",
       fn<lstm_cell>, {.kind = kFunction}),
    GC_CELL("gru_cell", Recurrence::Gru),
    GC_CELL("rnn_tanh_cell", Recurrence::Tanh),
    GC_CELL("rnn_relu_cell", Recurrence::Relu),
};

}  // namespace

void register_recurrent() { register_rows(kRows); }

}  // namespace gradcore
