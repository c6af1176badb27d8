// Views, and what makes a tensor another view of its memory.
#include "ops/view.h"
#include "bindings/ops/register.h"
#include "ops/derived.h"
#include "ops/pieces.h"
#include "ops/resize.h"

#include <limits>

namespace gradcore {

namespace {

using MaybeInt = std::optional<int64_t>;

constexpr auto reshaped_as = [](const Tensor& t, const Tensor& other) { return reshape(t, other.shape()); };
constexpr auto viewed_as = [](const Tensor& t, const Tensor& other) { return view(t, other.shape()); };
constexpr auto expanded_as = [](const Tensor& t, const Tensor& other) { return expand(t, other.shape()); };
constexpr auto split_by_size = [](const Tensor& t, int64_t size, int64_t dim) { return split(t, size, dim); };
constexpr auto split_by_sizes = [](const Tensor& t, const Dims& sizes, int64_t dim) { return split(t, sizes, dim); };

// A view op as one that copies: the same call, and what it sees as new memory.
Tensor copy_of(const Tensor& view) { return clone(view, true); }
std::vector<Tensor> copy_of(std::vector<Tensor> views) {
  for (Tensor& view : views) view = clone(view, true);
  return views;
}
template <auto view, class R, class... P> constexpr auto copied_by(R (*)(P...)) {
  return [](P... given) -> R { return copy_of(view(given...)); };
}
template <auto view> constexpr auto copied = copied_by<view>(view);

constexpr auto* squeezed = +[](const Tensor& t) { return squeeze(t); };
constexpr auto* squeezed_along = +[](const Tensor& t, const Dims& dims) { return squeeze(t, dims); };
constexpr auto* expanded = +[](const Tensor& t, const Dims& size, bool) { return expand(t, size); };
constexpr auto* viewed = +[](const Tensor& t, const Dims& size) { return reshape(t, size); };  // of any strides
constexpr auto* sliced = +[](const Tensor& t, int64_t dim, MaybeInt start, MaybeInt end, int64_t step) {
  return slice(t, dim, start.value_or(0), end.value_or(std::numeric_limits<int64_t>::max()), step);
};

// What a storage holds, as a vector of this dtype. One that is below no tensor grows to have so many elements.
Tensor elements_of(PyObject* storage, DType dtype, int64_t room = 0) {
  check(is_storage(storage), ErrorKind::Type, "set_() received an invalid combination of arguments - got (",
        Py_TYPE(storage)->tp_name, "), but expected a Tensor or a storage");
  return tensor_on_storage(storage, dtype_objects[static_cast<int>(dtype)], room);
}

// out= wants the dtype of the input.
constexpr Forms kCopies{.kind = kFunction, .out = Out::Exact, .halves = Halves::Native};

constexpr OpRow kRows[] = {
    view_op("view(Tensor input, dtype dtype) -> Tensor", fn<view_dtype>, {.kind = kMethod}),
    view_op("view(Tensor input, int[] size) -> Tensor", fn<view>, {.kind = kMethod}),
    view_op("view_as(Tensor input, Tensor other) -> Tensor", viewed_as, {.kind = kMethod}),
    op("reshape(Tensor input, int[] shape) -> Tensor", fn<reshape>),
    op("reshape_as(Tensor input, Tensor other) -> Tensor", reshaped_as, {.kind = kMethod}),
    op("flatten(Tensor input, int start_dim=0, int end_dim=-1) -> Tensor", fn<flatten>),
    op("ravel(Tensor input) -> Tensor", fn<ravel>),
    view_op("unflatten(Tensor input, int dim, int[] sizes) -> Tensor", fn<unflatten>),
    view_op("transpose(Tensor input, int dim0, int dim1) -> Tensor", fn<transpose>, {.also = "swapdims"}),
    view_op("swapaxes(Tensor input, int axis0, int axis1) -> Tensor", fn<transpose>),
    view_op("t(Tensor input) -> Tensor", fn<t>),
    view_op("permute(Tensor input, int[] dims) -> Tensor", fn<permute>),
    view_op("movedim(Tensor input, int[1] source, int[1] destination) -> Tensor", fn<movedim>, {.also = "moveaxis"}),
    view_op("squeeze(Tensor input) -> Tensor", [](const Tensor& t) { return squeeze(t); }),
    view_op("squeeze(Tensor input, int[1] dim) -> Tensor",
            [](const Tensor& t, const Dims& dims) { return squeeze(t, dims); }),
    view_op("unsqueeze(Tensor input, int dim) -> Tensor", fn<unsqueeze>),
    view_op("expand(Tensor input, int[] size, *, bool implicit=False) -> Tensor",
            [](const Tensor& t, const Dims& size, bool) { return expand(t, size); }, {.kind = kMethod}),
    view_op("expand_as(Tensor input, Tensor other) -> Tensor", expanded_as, {.kind = kMethod}),
    view_op("broadcast_to(Tensor input, int[] size) -> Tensor", fn<expand>),
    view_op("select(Tensor input, int dim, int index) -> Tensor", fn<select>),
    view_op("narrow(Tensor input, int dim, int start, int length) -> Tensor", fn<narrow>),
    view_op("diagonal(Tensor input, int offset=0, int dim1=0, int dim2=1) -> Tensor", fn<diagonal>),
    view_op("as_strided(Tensor input, int[] size, int[] stride, int? storage_offset=None) -> Tensor", fn<as_strided>),
    view_op("unbind(Tensor input, int dim=0) -> Tensor[]", fn<unbind>),
    // torch's function has other names for its arguments than the method.
    view_op("split(Tensor tensor, int split_size_or_sections, int dim=0) -> Tensor[]", split_by_size,
            {.kind = kFunction}),
    view_op("split(Tensor tensor, int[] split_size_or_sections, int dim=0) -> Tensor[]", split_by_sizes,
            {.kind = kFunction}),
    view_op("split(Tensor input, int split_size, int dim=0) -> Tensor[]", split_by_size, {.kind = kMethod}),
    view_op("split(Tensor input, int[] split_size, int dim=0) -> Tensor[]", split_by_sizes, {.kind = kMethod}),
    view_op("split_with_sizes(Tensor input, int[] split_sizes, int dim=0) -> Tensor[]", split_by_sizes),
    view_op("chunk(Tensor input, int chunks, int dim=0) -> Tensor[]", fn<chunk>),
    view_op("unfold(Tensor input, int dimension, int size, int step) -> Tensor", fn<unfold>, {.kind = kMethod}),
    view_op("tensor_split(Tensor input, Tensor tensor_indices_or_sections, int dim=0) -> Tensor[]",
            [](const Tensor& t, const Tensor& given, int64_t dim) { return tensor_split(t, given, dim); }),
    view_op("tensor_split(Tensor input, int sections, int dim=0) -> Tensor[]",
            [](const Tensor& t, int64_t sections, int64_t dim) { return tensor_split(t, sections, dim); }),
    view_op("tensor_split(Tensor input, int[] indices, int dim=0) -> Tensor[]",
            [](const Tensor& t, const Dims& indices, int64_t dim) { return tensor_split(t, indices, dim); }),
    view_op("hsplit(Tensor input, int sections) -> Tensor[]",
            [](const Tensor& t, int64_t sections) { return hsplit(t, sections); }),
    view_op("hsplit(Tensor input, int[] indices) -> Tensor[]",
            [](const Tensor& t, const Dims& indices) { return hsplit(t, indices); }),
    view_op("vsplit(Tensor input, int sections) -> Tensor[]",
            [](const Tensor& t, int64_t sections) { return vsplit(t, sections); }),
    view_op("vsplit(Tensor input, int[] indices) -> Tensor[]",
            [](const Tensor& t, const Dims& indices) { return vsplit(t, indices); }),
    view_op("dsplit(Tensor input, int sections) -> Tensor[]",
            [](const Tensor& t, int64_t sections) { return dsplit(t, sections); }),
    view_op("dsplit(Tensor input, int[] indices) -> Tensor[]",
            [](const Tensor& t, const Dims& indices) { return dsplit(t, indices); }),
    view_op("unsafe_split(Tensor input, int split_size, int dim=0) -> Tensor[]",
            [](const Tensor& t, int64_t size, int64_t dim) { return unsafe_split(t, size, dim); }),
    view_op("unsafe_split_with_sizes(Tensor input, int[] split_sizes, int dim=0) -> Tensor[]",
            [](const Tensor& t, const Dims& sizes, int64_t dim) { return unsafe_split(t, sizes, dim); }),
    view_op("unsafe_chunk(Tensor input, int chunks, int dim=0) -> Tensor[]", fn<unsafe_chunk>),
    view_op("detach(Tensor input) -> Tensor", fn<detach>),

    op("alias_copy(Tensor input, *, Tensor? out=None) -> Tensor", copied<alias>, kCopies),
    op("detach_copy(Tensor input, *, Tensor? out=None) -> Tensor", copied<detach>, kCopies),
    op("as_strided_copy(Tensor input, int[] size, int[] stride, int? storage_offset=None, *, Tensor? out=None) -> "
       "Tensor",
       copied<as_strided>, kCopies),
    op("diagonal_copy(Tensor input, int offset=0, int dim1=0, int dim2=1, *, Tensor? out=None) -> Tensor",
       copied<diagonal>, kCopies),
    op("expand_copy(Tensor input, int[] size, *, bool implicit=False, Tensor? out=None) -> Tensor", copied<expanded>,
       kCopies),
    op("narrow_copy(Tensor input, int dim, int start, int length, *, Tensor? out=None) -> Tensor", copied<narrow>,
       {.out = Out::Exact, .halves = Halves::Native}),
    op("permute_copy(Tensor input, int[] dims, *, Tensor? out=None) -> Tensor", copied<permute>, kCopies),
    op("select_copy(Tensor input, int dim, int index, *, Tensor? out=None) -> Tensor", copied<select>, kCopies),
    op("slice_copy(Tensor input, int dim=0, int? start=None, int? end=None, int step=1, *, Tensor? out=None) -> Tensor",
       copied<sliced>, kCopies),
    op("split_copy(Tensor input, int split_size, int dim=0, *, Tensor[]? out=None) -> Tensor[]", copied<+split_by_size>,
       kCopies),
    op("split_with_sizes_copy(Tensor input, int[] split_sizes, int dim=0, *, Tensor[]? out=None) -> Tensor[]",
       copied<+split_by_sizes>, kCopies),
    op("squeeze_copy(Tensor input, *, Tensor? out=None) -> Tensor", copied<squeezed>, kCopies),
    op("squeeze_copy(Tensor input, int[1] dim, *, Tensor? out=None) -> Tensor", copied<squeezed_along>, kCopies),
    op("t_copy(Tensor input, *, Tensor? out=None) -> Tensor", copied<t>, kCopies),
    op("transpose_copy(Tensor input, int dim0, int dim1, *, Tensor? out=None) -> Tensor", copied<transpose>, kCopies),
    op("unbind_copy(Tensor input, int dim=0, *, Tensor[]? out=None) -> Tensor[]", copied<unbind>, kCopies),
    op("unfold_copy(Tensor input, int dimension, int size, int step, *, Tensor? out=None) -> Tensor", copied<unfold>,
       kCopies),
    op("unsqueeze_copy(Tensor input, int dim, *, Tensor? out=None) -> Tensor", copied<unsqueeze>, kCopies),
    op("view_copy(Tensor input, dtype dtype, *, Tensor? out=None) -> Tensor", copied<view_dtype>, kCopies),
    op("view_copy(Tensor input, int[] size, *, Tensor? out=None) -> Tensor", copied<viewed>, kCopies),
    view_op("detach_(Tensor input) -> Tensor", fn<detach_from_graph_>),

    view_op("t_(Tensor input) -> Tensor", fn<t_>, {.kind = kMethod}),
    view_op("transpose_(Tensor input, int dim0, int dim1) -> Tensor", fn<transpose_>,
            {.kind = kMethod, .also = "swapdims_"}),
    view_op("swapaxes_(Tensor input, int axis0, int axis1) -> Tensor", fn<transpose_>, {.kind = kMethod}),
    view_op("squeeze_(Tensor input) -> Tensor", [](const Tensor& t) { squeeze_(t); }, {.kind = kMethod}),
    view_op("squeeze_(Tensor input, int[1] dim) -> Tensor",
            [](const Tensor& t, const Dims& dims) { squeeze_(t, dims); }, {.kind = kMethod}),
    view_op("unsqueeze_(Tensor input, int dim) -> Tensor", fn<unsqueeze_>, {.kind = kMethod}),
    view_op("as_strided_(Tensor input, int[] size, int[] stride, int? storage_offset=None) -> Tensor", fn<as_strided_>),
    view_op("resize_(Tensor input, int[] size, *, MemoryFormat? memory_format=None) -> Tensor",
            [](const Tensor& t, const Dims& size, std::optional<MemoryFormat> format) {
              check(format != MemoryFormat::Preserve, "Unsupported memory formatPreserve");
              resize_(t, size, format);
            },
            {.kind = kMethod}),
    view_op(
        "resize_as_(Tensor input, Tensor the_template, *, MemoryFormat? memory_format=None) -> Tensor",
        [](const Tensor& t, const Tensor& other, std::optional<MemoryFormat> format) { resize_as_(t, other, format); }),
    view_op("set_(Tensor input) -> Tensor", [](const Tensor& t) { set_(t); }, {.kind = kMethod}),
    view_op("set_(Tensor input, Tensor source) -> Tensor",
            [](const Tensor& t, const Tensor& source) { set_(t, source); }, {.kind = kMethod}),
    view_op("set_(Tensor input, Tensor source, int storage_offset, int[] size, int[]? stride=None) -> Tensor",
            [](const Tensor& t, const Tensor& source, int64_t offset, const Dims& size, const MaybeDims& stride) {
              set_(t, source, offset, size, stride);
            },
            {.kind = kMethod}),
    view_op("set_(Tensor input, object source) -> Tensor",
            [](const Tensor& t, PyObject* source) { set_(t, elements_of(source, t.dtype())); }, {.kind = kMethod}),
    view_op("set_(Tensor input, object source, int storage_offset, int[] size, int[]? stride=None) -> Tensor",
            [](const Tensor& t, PyObject* source, int64_t offset, const Dims& size, const MaybeDims& stride) {
              const int64_t room = window_end(size, stride ? *stride : contiguous_strides(size), offset);
              set_(t, elements_of(source, t.dtype(), room), offset, size, stride);
            },
            {.kind = kMethod}),
};

}  // namespace

void register_view() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
