// Dense linear algebra on the last two dims of floating tensors; all dims before them are batches. Names without a
// prefix are torch.linalg's; the kernels are in kernels/linalg.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "ops/reduce.h"

namespace gradcore {

// Several results under names: `gradcore.return_types` has a tuple with these names for each such op.
struct Named {
  std::vector<Tensor> parts;
};

namespace linalg {

// ---- cholesky.cpp
Tensor cholesky(const Tensor& a, bool upper);
Tensor legacy_cholesky(const Tensor& a, bool upper);  // torch.cholesky, whose messages and node have another name
Named cholesky_ex(const Tensor& a, bool upper, bool check_errors);

// ---- solve.cpp
Tensor solve(const Tensor& a, const Tensor& b, bool left);
Named solve_ex(const Tensor& a, const Tensor& b, bool left, bool check_errors);
Tensor inv(const Tensor& a);
Named inv_ex(const Tensor& a, bool check_errors);
Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left, bool unitriangular);

// ---- det.cpp
Tensor det(const Tensor& a);
Named slogdet(const Tensor& a);
Tensor logdet(const Tensor& a);

// ---- norms.cpp
// `ord` is a number or a name; without it, and without `dim`, it is the length of all elements as one vector.
using Order = std::variant<double, std::string_view>;
Tensor vector_norm(const Tensor& t, double ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype);
Tensor matrix_norm(const Tensor& a, const Order& ord, const Dims& dim, bool keepdim, MaybeDType dtype);
Tensor norm(const Tensor& a, const std::optional<Order>& ord, const MaybeDims& dim, bool keepdim, MaybeDType dtype);

}  // namespace linalg

}  // namespace gradcore
