// Grids, diagonals and their kin, and sums of products over named dims.
#include "ops/shapes.h"
#include "bindings/ops/register.h"
#include "core/warning.h"
#include "ops/einsum.h"

namespace gradcore {

namespace {

constexpr auto first_atleast_1d = [](const Tensor& t) { return atleast_1d(t); };
constexpr auto first_atleast_2d = [](const Tensor& t) { return atleast_2d(t); };
constexpr auto first_atleast_3d = [](const Tensor& t) { return atleast_3d(t); };

std::vector<Tensor> meshgrid_that_warns(std::span<const Tensor> tensors,
                                        const std::optional<std::string_view>& indexing) {
  static std::atomic<bool> warned = false;
  if (!indexing)
    warn_once(warned, "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.");
  return meshgrid(tensors, indexing.value_or("ij"));
}

constexpr OpRow kRows[] = {
    op("diag(Tensor input, int diagonal=0, *, Tensor? out=None) -> Tensor", fn<diag>, {.out = Out::Exact}),
    op("diag_embed(Tensor input, int offset=0, int dim1=-2, int dim2=-1) -> Tensor", fn<diag_embed>),
    op("diagflat(Tensor input, int offset=0) -> Tensor", fn<diagflat>),
    op("trace(Tensor input) -> Tensor", fn<trace>, {.autocast = Autocast::Float32}),
    op("block_diag(Tensor... tensors) -> Tensor", fn<block_diag>, {.kind = kFunction}),

    view_op("atleast_1d(Tensor input) -> Tensor", first_atleast_1d, {.kind = kFunction}),
    view_op("atleast_1d(Tensor... tensors) -> Tensor[]",
            [](std::span<const Tensor> tensors) { return atleast_1d(tensors); }, {.kind = kFunction}),
    view_op("atleast_2d(Tensor input) -> Tensor", first_atleast_2d, {.kind = kFunction}),
    view_op("atleast_2d(Tensor... tensors) -> Tensor[]",
            [](std::span<const Tensor> tensors) { return atleast_2d(tensors); }, {.kind = kFunction}),
    view_op("atleast_3d(Tensor input) -> Tensor", first_atleast_3d, {.kind = kFunction}),
    view_op("atleast_3d(Tensor... tensors) -> Tensor[]",
            [](std::span<const Tensor> tensors) { return atleast_3d(tensors); }, {.kind = kFunction}),
    view_op("broadcast_tensors(Tensor... tensors) -> Tensor[]", fn<broadcast_tensors>, {.kind = kFunction}),
    view_op("meshgrid(Tensor... tensors, *, str? indexing=None) -> Tensor[]", fn<meshgrid_that_warns>,
            {.kind = kFunction}),
    op("cartesian_prod(Tensor... tensors) -> Tensor", fn<cartesian_prod>, {.kind = kFunction}),
    op("combinations(Tensor input, int r=2, bool with_replacement=False) -> Tensor", fn<combinations>,
       {.kind = kFunction}),

    op("vander(Tensor x, int? N=None, bool increasing=False) -> Tensor", fn<vander>, {.kind = kFunction}),

    op("flipud(Tensor input) -> Tensor", fn<flipud>),
    op("fliplr(Tensor input) -> Tensor", fn<fliplr>),
    op("rot90(Tensor input, int k=1, int[]? dims=None) -> Tensor",
       [](const Tensor& t, int64_t k, const MaybeDims& dims) { return rot90(t, k, dims.value_or(Dims{0, 1})); }),
    op("repeat_interleave(Tensor input, Tensor repeats, int? dim=None, *, int? output_size=None) -> Tensor",
       [](const Tensor& t, const Tensor& repeats, std::optional<int64_t> dim, std::optional<int64_t> size) {
         return repeat_interleave(t, repeats, dim, size);
       }),
    op("repeat_interleave(Tensor repeats, *, int? output_size=None) -> Tensor",
       [](const Tensor& repeats, std::optional<int64_t> size) { return repeat_interleave(repeats, size); }),
    op("repeat_interleave(Tensor input, int repeats, int? dim=None, *, int? output_size=None) -> Tensor",
       [](const Tensor& t, int64_t repeats, std::optional<int64_t> dim, std::optional<int64_t> size) {
         return repeat_interleave(t, repeats, dim, size);
       }),

    // einsum() and tensordot() in functional.py call these.
    op("_einsum(str equation, Tensor[] operands, int[] path) -> Tensor", fn<einsum>, {.kind = kFunction}),
    op("_tensordot(Tensor a, Tensor b, int[] dims_a, int[] dims_b, *, Tensor? out=None) -> Tensor", fn<tensordot>,
       {.kind = kFunction, .out = Out::Exact}),
};

}  // namespace

void register_shapes() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
