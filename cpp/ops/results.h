// What ops take and return beside tensors.
#pragma once
#include <optional>
#include <vector>

#include "tensor/tensor.h"

namespace gradcore {

using MaybeDims = std::optional<Dims>;
using MaybeDType = std::optional<DType>;
struct ValuesIndices {
  Tensor values, indices;
};
// Several results under names: `gradcore.return_types` has a tuple with these names for each such op.
struct Named {
  std::vector<Tensor> parts;
};

}  // namespace gradcore
