// Conversions, copies and fills; questions about a tensor's type and shape.
#include "bindings/ops/register.h"
#include "ops/derived.h"
#include "ops/memory_format.h"
#include "ops/rearrange.h"

namespace gradcore {

namespace {

template <DType type>
constexpr auto to_type = [](const Tensor& t, MemoryFormat format) { return to_in(t, type, false, format); };
constexpr auto contiguous_as = [](const Tensor& t, std::optional<MemoryFormat> format) {
  check(format != MemoryFormat::Preserve || t.is_contiguous(),
        "preserve memory format is unsupported by the contiguous operator");
  return contiguous_in(t, format.value_or(MemoryFormat::Contiguous));
};

constexpr OpRow kRows[] = {
    op("contiguous(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", contiguous_as, {.kind = kMethod}),
    op("clone(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", fn<clone_in>),
    op("copy_(Tensor input, Operand other, bool non_blocking=False) -> Tensor",
       [](const Tensor& t, const Operand& from, bool) {
         if (from.is_tensor() && !is_meta(t)) check_has_values(*from.tensor);
         copy_(t, from);
       },
       {.kind = kMethod}),
    op("fill_(Tensor input, Operand value) -> Tensor", fn<fill_>),
    op("fill(Tensor input, Operand value) -> Tensor", fn<fill>, {.kind = kFunction}),
    op("fill_diagonal_(Tensor input, Number fill_value, bool wrap=False) -> Tensor", fn<fill_diagonal_>,
       {.kind = kMethod}),
    op("zero_(Tensor input) -> Tensor", fn<zero_>),
    op("tril(Tensor input, int diagonal=0, *, Tensor? out=None) -> Tensor", fn<tril>, {.out = Out::Exact}),
    op("triu(Tensor input, int diagonal=0, *, Tensor? out=None) -> Tensor", fn<triu>, {.out = Out::Exact}),
    op("tril_(Tensor input, int diagonal=0) -> Tensor", fn<tril_>, {.kind = kMethod}),
    op("triu_(Tensor input, int diagonal=0) -> Tensor", fn<triu_>, {.kind = kMethod}),

    op("to(Tensor input, dtype dtype, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None) "
       "-> Tensor",
       [](const Tensor& t, DType dtype, bool, bool copy, MemoryFormat format) { return to_in(t, dtype, copy, format); },
       {.kind = kMethod}),
    op("to(Tensor input, device? device=None, dtype? dtype=None, bool non_blocking=False, bool copy=False, *, "
       "MemoryFormat? memory_format=None) -> Tensor",
       [](const Tensor& t, const DeviceArg& device, MaybeDType dtype, bool, bool copy, MemoryFormat format) {
         return moved(t, device.given ? device.is_meta : is_meta(t), dtype, copy, format);
       },
       {.kind = kMethod}),
    op("to(Tensor input, Tensor other, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None) "
       "-> Tensor",
       [](const Tensor& t, const Tensor& other, bool, bool copy, MemoryFormat format) {
         return moved(t, is_meta(other), other.dtype(), copy, format);
       },
       {.kind = kMethod}),
    op("type_as(Tensor input, Tensor other) -> Tensor",
       [](const Tensor& t, const Tensor& other) { return to_in(t, other.dtype(), false, MemoryFormat::Preserve); },
       {.kind = kMethod}),
    op("cpu(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor",
       [](const Tensor& t, MemoryFormat format) { return moved(t, false, {}, false, format); }, {.kind = kMethod}),
    op("float(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::Float32>,
       {.kind = kMethod}),
    op("double(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::Float64>,
       {.kind = kMethod}),
    op("half(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::Float16>, {.kind = kMethod}),
    op("bfloat16(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::BFloat16>,
       {.kind = kMethod}),
    op("long(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::Int64>, {.kind = kMethod}),
    op("int(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::Int32>, {.kind = kMethod}),
    op("short(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::Int16>, {.kind = kMethod}),
    op("char(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::Int8>, {.kind = kMethod}),
    op("byte(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::UInt8>, {.kind = kMethod}),
    op("bool(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor", to_type<DType::Bool>, {.kind = kMethod}),

    view_op("requires_grad_(Tensor input, bool requires_grad=True) -> Tensor", fn<requires_grad_>, {.kind = kMethod}),
    view_op("size(Tensor input, int dim) -> int",
            [](const Tensor& t, int64_t dim) { return t.size(wrap_dim(dim, t.dim(), false)); }, {.kind = kMethod}),
    view_op("size(Tensor input, None dim=None) -> Size", [](const Tensor& t, NoneArg) { return t.shape(); },
            {.kind = kMethod}),
    view_op("stride(Tensor input, int dim) -> int",
            [](const Tensor& t, int64_t dim) { return t.stride(wrap_dim(dim, t.dim(), false)); }, {.kind = kMethod}),
    view_op("stride(Tensor input, None dim=None) -> int[]",
            [](const Tensor& t, NoneArg) { return std::vector<int64_t>(t.strides().begin(), t.strides().end()); },
            {.kind = kMethod}),
    view_op("numel(Tensor input) -> int", [](const Tensor& t) { return t.numel(); }, {.kind = kFunction}),
    view_op("is_floating_point(Tensor input) -> bool", [](const Tensor& t) { return is_floating(t.dtype()); },
            {.kind = kFunction}),
    view_op("get_device(Tensor input) -> int", [](const Tensor&) { return int64_t{-1}; }, {.kind = kFunction}),
    view_op("is_same_size(Tensor input, Tensor other) -> bool",
            [](const Tensor& t, const Tensor& other) { return t.shape() == other.shape(); }),
    view_op("is_set_to(Tensor input, Tensor tensor) -> bool",
            [](const Tensor& t, const Tensor& other) {
              return t->storage.get() == other->storage.get() && t.offset() == other.offset() &&
                     t.shape() == other.shape() && t.strides() == other.strides();
            },
            {.kind = kMethod}),
    op("sum_to_size(Tensor input, int[] size) -> Tensor", fn<sum_to_size>, {.kind = kMethod}),
    view_op("is_inference(Tensor input) -> bool", [](const Tensor& t) { return t->created_in.inference(); },
            {.kind = kFunction}),
};

}  // namespace

void register_convert() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
