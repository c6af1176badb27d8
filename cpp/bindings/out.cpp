// out=: computes without recording, into the tensor given or beside it; then copies into the tensors given, resized to
// fit, once all of them were found fit. What a row says of it is Out in op_function.h.
#include "autograd/forward.h"
#include "autograd/views.h"
#include "bindings/call.h"
#include "core/warning.h"

namespace gradcore {

namespace {

bool has_tangent(const Tensor& t) {
  const Ref<Tangents> tangents = tangents_of(t);
  return tangents && !tangents->entries.empty();
}

// The same memory where it is large enough: who else has a view of it sees what is written.
Tensor resized(const Tensor& t, const Dims& shape) {
  const uintptr_t end = t->storage->address() + static_cast<uint64_t>(t->storage->bytes);
  const int64_t fit = static_cast<int64_t>(end - t.address()) / item_size(t.dtype());
  if (t->batch || fit < checked_numel(shape)) return empty(shape, t.dtype());
  return make_window(t, shape, contiguous_strides(shape));
}

// Factories make what they are told, and say nothing; but how many numbers arange has may hang on a rounding.
bool warns_of_resize(const OpRow& row) {
  return row.out != Out::Fills && (row.out != Out::KeepsShape || row.name == "arange");
}

void warn_of_resize(const OpRow& row, const Tensor& target, const Tensor& value) {
  if (target.numel() == 0) return;
  if (row.name == "arange")
    return warn(
        "The number of elements in the out tensor of shape ", target.shape(), " is ", target.numel(),
        " which does not match the computed number of elements ", value.numel(),
        ". Note that this may occur as a result of rounding error. The out tensor will be resized to a tensor of "
        "shape (",
        value.numel(), ",).");
  warn("An output with one or more elements was resized since it had shape ", target.shape(),
       ", which does not match the required output shape ", value.shape(),
       ". This behavior is deprecated, and in a future release outputs will not be resized unless they have zero "
       "elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
       "t.resize_(0).");
}

// max's results are a return_types.max, and those that it wrote to a max_out.
Owned type_of_targets(PyObject* results) {
  PyObject* const type = reinterpret_cast<PyObject*>(Py_TYPE(results));
  static PyObject* const types = checked(PyImport_ImportModule("gradcore.return_types"));
  const std::string name = str_cat(Py_TYPE(results)->tp_name, "_out");
  if (!PyObject_HasAttrString(types, name.c_str())) return Owned(Py_NewRef(type));
  return Owned(checked(PyObject_GetAttrString(types, name.c_str())));
}

}  // namespace

PyObject* Call::invoke_out(PyObject* out) { return is_tensor(out) ? write_into_one(out) : write_into_many(out); }

PyObject* Call::write_into_one(PyObject* out) {
  const OpRow& row = *bound_.row_;
  const bool at_once = row.into && !(modes.forward && has_tangent(unwrap(out)));
  if (at_once && row.into(bound_, unwrap(out))) return Py_NewRef(out);
  compute_in(impl_of(out)->dtype);
  const Owned result(checked(row.handler(bound_)));
  check(is_tensor(result.get()), op_.name, "(): out= is only supported for ops with one result");
  check_out(unwrap(out), unwrap(result.get()), false);
  write_out(unwrap(out), unwrap(result.get()));
  return Py_NewRef(out);
}

PyObject* Call::write_into_many(PyObject* out) {
  const Owned targets(checked(PySequence_Tuple(out))), results(checked(bound_.row_->handler(bound_)));
  const Py_ssize_t n = PyTuple_GET_SIZE(results.get());
  check(PyTuple_GET_SIZE(targets.get()) == n, ErrorKind::Type, "expected tuple of ", n, " elements but got ",
        PyTuple_GET_SIZE(targets.get()));
  for (Py_ssize_t i = 0; i < n; ++i) {  // they may come from an __iter__ of the program's
    PyObject* target = PyTuple_GET_ITEM(targets.get(), i);
    check(is_tensor(target), ErrorKind::Type, op_.name,
          "(): argument 'out' must be tuple of Tensors, but found element of type ", Py_TYPE(target)->tp_name,
          " at pos ", i);
  }
  for (const bool write : {false, true}) {
    for (Py_ssize_t i = 0; i < n; ++i) {
      const Tensor to = unwrap(PyTuple_GET_ITEM(targets.get(), i)), from = unwrap(PyTuple_GET_ITEM(results.get(), i));
      write ? write_out(to, from) : check_out(to, from, true);
    }
  }
  return checked(PyObject_CallOneArg(type_of_targets(results.get()).get(), targets.get()));
}

// A dtype that is named must be that of out, in which such ops compute.
void Call::compute_in(DType type) {
  const Out rule = bound_.row_->out;
  const int k = bound_.signature_->dtype;
  if (k < 0 || (rule != Out::Accumulates && rule != Out::Fills && rule != Out::KeepsShape)) return;
  const auto named = to_dtype(bound_.slots_[k]);
  if (named && *named != type)
    fail("Expected out tensor to have dtype ", scalar_type_name(*named), ", but got ", scalar_type_name(type),
         " instead: dtype does not match dtype of out parameter");
  bound_.slots_[k] = dtype_objects[index_of(type)];
}

bool Call::has_operand_without_dims() const {
  const Signature& s = *bound_.signature_;
  for (int k = 0; k < static_cast<int>(s.params.size()); ++k) {
    PyObject* const o = bound_.slots_[k];
    if (k != s.out && o && is_tensor(o) && impl_of(o)->shape.empty()) return true;
  }
  return false;
}

static void check_casts(std::string_view op, Out rule, DType value, DType target) {
  if (rule == Out::AnyType) return;
  if (rule == Out::Truth)
    return check(target == DType::Bool || target == DType::UInt8, op,
                 " only supports bool tensor for result, got: ", scalar_type_name(target));
  check(can_cast(value, target), rule == Out::Joins ? ErrorKind::Type : ErrorKind::Runtime, "result type ",
        scalar_type_name(value), " can't be cast to the desired output type ", scalar_type_name(target));
}

void Call::check_out(const Tensor& target, const Tensor& value, bool exactly) const {
  const Out rule = bound_.row_->out;
  if (modes.forward && (has_tangent(value) || has_tangent(target)))
    fail(ErrorKind::NotImplemented, "Trying to use forward AD with ", op_.name,
         "_out that does not support it because it is an out= function");
  // Comparisons and the like take tensors that require grad; what would be recorded is refused.
  if (modes.grad && (requires_grad(value.impl()) || (requires_grad(target) && value.dtype() != DType::Bool)))
    fail(op_.name,
         "(): functions with out=... arguments don't support automatic differentiation, but one of the "
         "arguments requires grad.");
  exactly |= rule == Out::Exact || (rule == Out::ExactOfDims && !has_operand_without_dims());
  if (exactly && value.dtype() != target.dtype())
    fail("Found dtype ", scalar_type_name(target.dtype()), " but expected ", scalar_type_name(value.dtype()));
  check_casts(op_.name, rule, value.dtype(), target.dtype());
  check_writable(target, false, !same_shape(value, target));  // one of another shape gets fresh memory
}

void Call::write_out(const Tensor& target, const Tensor& value) const {
  const NoRecordGuard off;
  if (bound_.row_->out == Out::KeepsShape && value.numel() == target.numel()) {
    copy_raw(target, view(value, target.shape()));
  } else {
    if (!same_shape(value, target)) {
      if (warns_of_resize(*bound_.row_)) warn_of_resize(*bound_.row_, target, value);
      check_writable(target, false, true);  // anew: a warning runs Python code
      set_window(target, resized(target, value.shape()));
    }
    copy_raw(target, value);
  }
  target.bump_version();
}

}  // namespace gradcore
