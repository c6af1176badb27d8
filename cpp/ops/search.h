// Ops that look values up in sorted ones, and the different elements of a tensor.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "ops/elementwise.h"

namespace gradcore {

struct SearchOptions {
  bool out_int32 = false;
  bool right = false;
  std::optional<std::string_view> side = {};
  Tensor sorter = {};  // the order in which the sequence is sorted
};
// How many elements of each sorted row are less than a value, or not greater with `right`.
Tensor searchsorted(const Tensor& sorted, const Operand& values, const SearchOptions& options);
Tensor bucketize(const Operand& values, const Tensor& boundaries, bool out_int32, bool right);
Tensor isin(const Operand& elements, const Operand& test_elements, bool invert);

struct UniqueOptions {
  bool inverse = false;  // for each element, which one of the result it is
  bool counts = false;
};
// The elements, or the slices along a dim; then what the options ask for. `consecutive` ones only drop equal
// neighbours.
std::vector<Tensor> unique(const Tensor& t, const UniqueOptions& options);
std::vector<Tensor> unique(const Tensor& t, int64_t dim, const UniqueOptions& options);
std::vector<Tensor> unique_consecutive(const Tensor& t, std::optional<int64_t> dim, const UniqueOptions& options);

}  // namespace gradcore
