// Images sampled at the places of a grid.
#pragma once
#include "tensor/tensor.h"

namespace gradcore {

// The modes are torch's numbers: 0 linear, 1 nearest, 2 cubic; 0 zeros, 1 border, 2 reflection.
Tensor grid_sampler(const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding, bool corners);
// Of images, or of volumes, alone.
Tensor grid_sampler_over(int dims, const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding, bool corners);

}  // namespace gradcore
