// LAPACK by way of NumPy: Note [Large matrices] in ops/linalg/lapack.h.
#include "ops/linalg/lapack.h"

#include "bindings/gil.h"
#include "bindings/ops/register.h"

namespace gradcore {

namespace {

// Memory of a call as Python sees it; it lives no longer than that.
py::object view_of(const void* data, int64_t elements, DType dtype, bool writable) {
  if (!data) return py::none();
  return py::reinterpret_steal<py::object>(checked(PyMemoryView_FromMemory(
      static_cast<char*>(const_cast<void*>(data)), static_cast<Py_ssize_t>(elements * item_size(dtype)),
      writable ? PyBUF_WRITE : PyBUF_READ)));
}

py::object lapack() { return import_module("gradcore.linalg._lapack"); }

bool eigh(const linalg::EighCall& c) {
  const GilAcquire gil;
  const int64_t vectors = c.batch * c.n * c.n;
  return lapack()
      .attr("eigh")(dtype_name(c.dtype), py::make_tuple(c.batch, c.n, c.n), c.upper,
                    view_of(c.a, vectors, c.dtype, false), view_of(c.values, c.batch * c.n, c.dtype, true),
                    view_of(c.vectors, vectors, c.dtype, true))
      .cast<bool>();
}

int32_t svd(const linalg::SvdCall& c) {
  const GilAcquire gil;
  const int64_t k = std::min(c.m, c.n), columns = c.full ? c.m : k, rows = c.full ? c.n : k;
  return lapack()
      .attr("svd")(dtype_name(c.dtype), py::make_tuple(c.batch, c.m, c.n), c.full,
                   view_of(c.a, c.batch * c.m * c.n, c.dtype, false),
                   view_of(c.u, c.batch * c.m * columns, c.dtype, true), view_of(c.values, c.batch * k, c.dtype, true),
                   view_of(c.vh, c.batch * rows * c.n, c.dtype, true))
      .cast<int32_t>();
}

}  // namespace

void register_lapack() {
  linalg::large_eigh = eigh;
  linalg::large_svd = svd;
}

}  // namespace gradcore
