// Where a tensor is made or moved to: the CPU, or "meta" (Note [Meta tensors] in meta.h).
#pragma once
#include "bindings/python.h"
#include "ops/memory_format.h"
#include "tensor/meta.h"

namespace gradcore {

// Whether a device, by name or as an object, is "meta"; None and the CPU are not. Others are refused, in torch's words.
bool is_meta_device(PyObject* device);

// The same tensor on the other device: to meta a fresh one without values, from there nothing comes.
inline Tensor moved(const Tensor& t, bool to_meta, MaybeDType dtype, bool copy, MemoryFormat format) {
  if (to_meta == is_meta(t)) return to_in(t, dtype, copy, format);
  if (!to_meta) check_has_values(t);
  const meta::Scope scope(to_meta);
  return to_in(t, dtype, true, format);
}

}  // namespace gradcore
