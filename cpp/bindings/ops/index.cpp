// Reading and writing at places that tensors give.
#include "ops/index.h"
#include "bindings/ops/register.h"
#include "core/warning.h"
#include "ops/derived.h"
#include "ops/put.h"
#include "ops/scatter_reduce.h"
#include "ops/view_scatter.h"

namespace gradcore {

namespace {

constexpr auto plain_scatter = [](const Tensor& t, int64_t dim, const Tensor& index, const Operand& src) {
  return scatter(t, dim, index, src);
};
constexpr auto plain_scatter_ = [](const Tensor& t, int64_t dim, const Tensor& index, const Operand& src) {
  scatter_(t, dim, index, src);
};
void warn_of_joining(const Operand& src) {
  static std::atomic<bool> warned = false;
  if (src.is_tensor())
    warn_once(warned,
              "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future "
              "release. Use torch.scatter_reduce instead for more reduction options.");
}
constexpr auto joining_scatter = [](const Tensor& t, int64_t dim, const Tensor& index, const Operand& src,
                                    std::string_view reduce) {
  warn_of_joining(src);
  return scatter(t, dim, index, src, reduce);
};
constexpr auto joining_scatter_ = [](const Tensor& t, int64_t dim, const Tensor& index, const Operand& src,
                                     std::string_view reduce) {
  warn_of_joining(src);
  scatter_(t, dim, index, src, reduce);
};
void warn_of_beta() {
  static std::atomic<bool> warned = false;
  warn_once(warned, "index_reduce() is in beta and the API may change at any time.");
}
constexpr auto warned_index_reduce = [](const Tensor& t, int64_t dim, const Tensor& index, const Tensor& source,
                                        std::string_view reduce, bool include_self) {
  warn_of_beta();
  return index_reduce(t, dim, index, source, reduce, include_self);
};
constexpr auto warned_index_reduce_ = [](const Tensor& t, int64_t dim, const Tensor& index, const Tensor& source,
                                         std::string_view reduce, bool include_self) {
  warn_of_beta();
  index_reduce_(t, dim, index, source, reduce, include_self);
};
void warn_of_bytes(std::span<const Tensor> indices) {
  for (const Tensor& index : indices)
    if (index && index.dtype() == DType::UInt8)
      warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.");
}
constexpr auto warned_index_put = [](const Tensor& t, std::span<const Tensor> indices, const Tensor& values,
                                     bool accumulate) {
  warn_of_bytes(indices);
  return index_put(t, indices, values, accumulate);
};
constexpr auto warned_index_put_ = [](const Tensor& t, std::span<const Tensor> indices, const Tensor& values,
                                      bool accumulate) {
  warn_of_bytes(indices);
  index_put_(t, indices, values, accumulate);
};
constexpr auto all_put = [](const Tensor& t, const Tensor& index, const Tensor& source, bool accumulate) {
  return put(t, index, source, accumulate);
};

constexpr OpRow kRows[] = {
    op("index_select(Tensor input, int dim, Tensor index, *, Tensor? out=None) -> Tensor", fn<index_select>,
       {.out = Out::Exact}),
    op("gather(Tensor input, int dim, Tensor index, *, bool sparse_grad=False, Tensor? out=None) -> Tensor",
       [](const Tensor& t, int64_t dim, const Tensor& index, bool) { return gather(t, dim, index); },
       {.out = Out::Exact}),
    op("scatter(Tensor input, int dim, Tensor index, Operand src, *, Tensor? out=None) -> Tensor", plain_scatter,
       {.out = Out::Exact}),
    op("scatter(Tensor input, int dim, Tensor index, Number value, *, Tensor? out=None) -> Tensor", plain_scatter,
       {.out = Out::Exact}),
    op("scatter(Tensor input, int dim, Tensor index, Operand src, *, str reduce, Tensor? out=None) -> Tensor",
       joining_scatter, {.out = Out::Exact}),
    op("scatter(Tensor input, int dim, Tensor index, Number value, *, str reduce, Tensor? out=None) -> Tensor",
       joining_scatter, {.out = Out::Exact}),
    op("scatter_(Tensor input, int dim, Tensor index, Operand src) -> Tensor", plain_scatter_, {.kind = kMethod}),
    op("scatter_(Tensor input, int dim, Tensor index, Number value) -> Tensor", plain_scatter_, {.kind = kMethod}),
    op("scatter_(Tensor input, int dim, Tensor index, Operand src, *, str reduce) -> Tensor", joining_scatter_,
       {.kind = kMethod}),
    op("scatter_(Tensor input, int dim, Tensor index, Number value, *, str reduce) -> Tensor", joining_scatter_,
       {.kind = kMethod}),
    op("scatter_reduce(Tensor input, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True, "
       "Tensor? out=None) -> Tensor",
       fn<scatter_reduce>, {.out = Out::Exact}),
    op("scatter_reduce_(Tensor input, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> "
       "Tensor",
       fn<scatter_reduce_>, {.kind = kMethod}),
    op("index_reduce(Tensor input, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True, "
       "Tensor? out=None) -> Tensor",
       warned_index_reduce, {.out = Out::Exact}),
    op("index_reduce_(Tensor input, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> "
       "Tensor",
       warned_index_reduce_, {.kind = kMethod}),
    op("take(Tensor input, Tensor index, *, Tensor? out=None) -> Tensor", fn<take>, {.out = Out::Exact}),
    op("take_along_dim(Tensor input, Tensor indices, int? dim=None, *, Tensor? out=None) -> Tensor", fn<take_along_dim>,
       {.out = Out::Exact}),
    op("put(Tensor input, Tensor index, Tensor source, bool accumulate=False) -> Tensor", all_put),
    op("put_(Tensor input, Tensor index, Tensor source, bool accumulate=False) -> Tensor", fn<put_>, {.kind = kMethod}),
    op("masked_scatter(Tensor input, Tensor mask, Tensor source) -> Tensor", fn<masked_scatter>),
    op("masked_scatter_(Tensor input, Tensor mask, Tensor source) -> Tensor", fn<masked_scatter_>, {.kind = kMethod}),
    op("select_scatter(Tensor input, Tensor src, int dim, int index, *, Tensor? out=None) -> Tensor",
       fn<select_scatter>),
    op("slice_scatter(Tensor input, Tensor src, int dim=0, int? start=None, int? end=None, int step=1, *, Tensor? "
       "out=None) -> Tensor",
       fn<slice_scatter>, {.out = Out::Exact}),
    op("diagonal_scatter(Tensor input, Tensor src, int offset=0, int dim1=0, int dim2=1, *, Tensor? out=None) -> "
       "Tensor",
       fn<diagonal_scatter>),
    op("as_strided_scatter(Tensor input, Tensor src, int[] size, int[] stride, int? storage_offset=None, *, Tensor? "
       "out=None) -> Tensor",
       fn<as_strided_scatter>),
    op("scatter_add(Tensor input, int dim, Tensor index, Tensor src, *, Tensor? out=None) -> Tensor", fn<scatter_add>,
       {.out = Out::Exact}),
    op("scatter_add_(Tensor input, int dim, Tensor index, Tensor src) -> Tensor", fn<scatter_add_>, {.kind = kMethod}),
    op("index_add(Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1, Tensor? out=None) -> Tensor",
       fn<index_add>, {.out = Out::Exact}),
    op("index_add_(Tensor input, int dim, Tensor index, Tensor source, *, Number alpha=1) -> Tensor", fn<index_add_>,
       {.kind = kMethod}),
    op("index_copy(Tensor input, int dim, Tensor index, Tensor source, *, Tensor? out=None) -> Tensor", fn<index_copy>,
       {.out = Out::Exact, .autocast = Autocast::Widest}),
    op("index_copy_(Tensor input, int dim, Tensor index, Tensor source) -> Tensor", fn<index_copy_>, {.kind = kMethod}),
    op("index_fill(Tensor input, int dim, Tensor index, Operand value) -> Tensor", fn<index_fill>),
    op("index_fill_(Tensor input, int dim, Tensor index, Operand value) -> Tensor", fn<index_fill_>, {.kind = kMethod}),
    op("index_put(Tensor input, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor", warned_index_put),
    op("index_put_(Tensor input, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor", warned_index_put_),
    op("masked_select(Tensor input, Tensor mask, *, Tensor? out=None) -> Tensor", fn<masked_select>,
       {.out = Out::Exact}),
    op("nonzero_static(Tensor input, *, int size, int fill_value=-1, Tensor? out=None) -> Tensor", fn<nonzero_static>,
       {.out = Out::Exact}),
    op("nonzero(Tensor input, *, bool as_tuple=False, Tensor? out=None) -> Tensor | Tensor[]",
       [](const Tensor& t, bool as_tuple) { return nonzero(t, as_tuple); }, {.out = Out::Exact}),
};

}  // namespace

void register_index() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
