// Conversions, copies and fills; questions about a tensor's type and shape.
#include "bindings/ops/register.h"
#include "ops/derived.h"

namespace gradcore {

namespace {

template <DType type> constexpr auto to_type = [](const Tensor& t) { return to(t, type); };
bool is_contiguous(MemoryFormat format) { return format == MemoryFormat::Contiguous; }

constexpr OpRow kRows[] = {
    op("contiguous(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor",
       [](const Tensor& t, MemoryFormat) { return contiguous(t); }, {.kind = kMethod}),
    op("clone(Tensor input, *, MemoryFormat? memory_format=None) -> Tensor",
       [](const Tensor& t, MemoryFormat format) { return clone(t, is_contiguous(format)); }),
    op("copy_(Tensor input, Operand src, bool non_blocking=False) -> Tensor",
       [](const Tensor& t, const Operand& from, bool) { copy_(t, from); }, {.kind = kMethod}),
    op("fill_(Tensor input, Operand value) -> Tensor", fn<fill_>, {.kind = kMethod}),
    op("fill_diagonal_(Tensor input, Number fill_value, bool wrap=False) -> Tensor", fn<fill_diagonal_>,
       {.kind = kMethod}),
    op("zero_(Tensor input) -> Tensor", fn<zero_>),
    op("tril(Tensor input, int diagonal=0, *, Tensor? out=None) -> Tensor", fn<tril>, {.out = Out::Exact}),
    op("triu(Tensor input, int diagonal=0, *, Tensor? out=None) -> Tensor", fn<triu>, {.out = Out::Exact}),
    op("tril_(Tensor input, int diagonal=0) -> Tensor", fn<tril_>, {.kind = kMethod}),
    op("triu_(Tensor input, int diagonal=0) -> Tensor", fn<triu_>, {.kind = kMethod}),

    op("to(Tensor input, dtype dtype, bool non_blocking=False, bool copy=False, *, MemoryFormat? memory_format=None) "
       "-> Tensor",
       [](const Tensor& t, DType dtype, bool, bool copy, MemoryFormat) { return to(t, dtype, copy); },
       {.kind = kMethod}),
    op("to(Tensor input, device? device=None, dtype? dtype=None, bool non_blocking=False, bool copy=False, *, "
       "MemoryFormat? memory_format=None) -> Tensor",
       [](const Tensor& t, DeviceArg, MaybeDType dtype, bool, bool copy, MemoryFormat) { return to(t, dtype, copy); },
       {.kind = kMethod}),
    op("to(Tensor input, Tensor other, bool non_blocking=False, bool copy=False) -> Tensor",
       [](const Tensor& t, const Tensor& other, bool, bool copy) { return to(t, other.dtype(), copy); },
       {.kind = kMethod}),
    op("type_as(Tensor input, Tensor other) -> Tensor",
       [](const Tensor& t, const Tensor& other) { return to(t, other.dtype()); }, {.kind = kMethod}),
    op("cpu(Tensor input) -> Tensor", [](const Tensor& t) { return t; }, {.kind = kMethod}),
    op("float(Tensor input) -> Tensor", to_type<DType::Float32>, {.kind = kMethod}),
    op("double(Tensor input) -> Tensor", to_type<DType::Float64>, {.kind = kMethod}),
    op("half(Tensor input) -> Tensor", to_type<DType::Float16>, {.kind = kMethod}),
    op("bfloat16(Tensor input) -> Tensor", to_type<DType::BFloat16>, {.kind = kMethod}),
    op("long(Tensor input) -> Tensor", to_type<DType::Int64>, {.kind = kMethod}),
    op("int(Tensor input) -> Tensor", to_type<DType::Int32>, {.kind = kMethod}),
    op("short(Tensor input) -> Tensor", to_type<DType::Int16>, {.kind = kMethod}),
    op("char(Tensor input) -> Tensor", to_type<DType::Int8>, {.kind = kMethod}),
    op("byte(Tensor input) -> Tensor", to_type<DType::UInt8>, {.kind = kMethod}),
    op("bool(Tensor input) -> Tensor", to_type<DType::Bool>, {.kind = kMethod}),

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
    view_op("is_inference(Tensor input) -> bool", [](const Tensor& t) { return t->created_in.inference(); },
            {.kind = kFunction}),
};

}  // namespace

void register_convert() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
