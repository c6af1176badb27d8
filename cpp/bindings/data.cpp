// Data in and out: numbers, lists, buffers, NumPy; and indexing with []. Start at tensor_from_object() and getitem().
#include <cstring>
#include <limits>

#include "autograd/views.h"
#include "bindings/define.h"
#include "bindings/device.h"
#include "bindings/docs.h"
#include "bindings/dtype_names.h"
#include "bindings/node.h"
#include "core/generator.h"
#include "core/warning.h"

namespace gradcore {

// ---- numbers

namespace {

// A NumPy scalar or a 0-d array-like number: has __float__ or __index__ but is no sequence, string or tensor.
bool is_foreign_number(PyObject* o) {
  const PyNumberMethods* n = Py_TYPE(o)->tp_as_number;
  if (!n || (!n->nb_float && !n->nb_index) || PyUnicode_Check(o)) return false;
  if (Py_TYPE(o)->tp_as_mapping && Py_TYPE(o)->tp_as_mapping->mp_length) return false;
  return !(Py_TYPE(o)->tp_as_sequence && Py_TYPE(o)->tp_as_sequence->sq_length);
}

std::optional<int64_t> int64_of(PyObject* python_int) {
  int overflow = 0;
  const long long v = PyLong_AsLongLongAndOverflow(python_int, &overflow);
  if (overflow) return std::nullopt;
  if (v == -1 && PyErr_Occurred()) throw PythonError{};
  return v;
}

bool truth_of(PyObject* o) {
  const int v = PyObject_IsTrue(o);
  if (v < 0) throw PythonError{};
  return v != 0;
}

bool is_numpy_bool(PyObject* o) {
  const std::string_view name = Py_TYPE(o)->tp_name;
  return name == "numpy.bool" || name == "numpy.bool_";
}

}  // namespace

bool is_number(PyObject* o) {
  if (PyFloat_Check(o) || PyLong_Check(o)) return true;
  return !is_tensor(o) && is_foreign_number(o);
}

int64_t to_int64(PyObject* o) {
  const Owned index(checked(PyNumber_Index(o)));
  const auto v = int64_of(index.get());
  check(v.has_value(), ErrorKind::Value, "Overflow when unpacking long long");
  return *v;
}

Scalar to_scalar(PyObject* o) {
  if (PyFloat_Check(o)) return PyFloat_AS_DOUBLE(o);
  if (PyBool_Check(o)) return o == Py_True;
  if (is_tensor(o)) {
    const Owned v(checked(tensor_item(o)));  // a subclass may have an item() of its own, which returns anything
    return to_scalar(v.get());
  }
  if (PyLong_Check(o) || PyIndex_Check(o)) {
    const Owned index(checked(PyNumber_Index(o)));
    if (const auto v = int64_of(index.get())) return *v;
    PyLong_AsUnsignedLongLong(index.get());
    if (PyErr_Occurred()) throw PythonError{};
    fail("value cannot be converted to type int64_t without overflow");  // torch has room for these, in uint64
  }
  if (is_numpy_bool(o)) return truth_of(o);
  const double d = PyFloat_AsDouble(o);
  if (d == -1 && PyErr_Occurred()) throw PythonError{};
  return d;
}

static bool is_cpu(PyObject* name) {
  return PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "cpu") == 0;
}

// Python refuses the others, in torch's words.
bool is_meta_device(PyObject* o) {
  if (o == Py_None || o == device_cpu || is_cpu(o)) return false;
  if (Py_TYPE(o) == device_type) {
    static PyObject* const type = PyUnicode_InternFromString("type");
    const Owned name(PyObject_GetAttr(o, type));
    if (!name.get()) throw PythonError{};
    if (is_cpu(name.get())) return false;
  }
  const Owned kind(PyObject_CallMethod(reinterpret_cast<PyObject*>(device_type), "_check", "O", o));
  if (!kind.get()) throw PythonError{};
  return kind.get() == Py_True;
}
void check_device(PyObject* o) {
  check(!is_meta_device(o), ErrorKind::NotImplemented, "there is nothing of this kind on the device meta");
}

// What was made from values, where the program wants it.
static Tensor placed(const Tensor& t, PyObject* device) {
  const bool on_meta = device == Py_None ? meta::is_default() : is_meta_device(device);
  return moved(t, on_meta, {}, false, MemoryFormat::Preserve);
}

// ---- foreign memory

namespace {

std::optional<DType> dtype_of_format(const char* format, Py_ssize_t item) {
  std::string_view f = format ? format : "B";
  if (f.size() > 1 && (f[0] == '=' || f[0] == '<' || f[0] == '@' || f[0] == '|')) f.remove_prefix(1);
  if (f.size() != 1) return std::nullopt;
  // Letters of integers differ between platforms: their size counts.
  const auto is_among = [&](std::string_view letters) { return letters.find(f[0]) != std::string_view::npos; };
  const bool is_signed_integer = is_among("bhilq"), is_unsigned_integer = is_among("BHILQ");
  for (const DTypeInfo& row : kDTypes) {
    if (f == row.format && row.size == item) return row.dtype;
    if (row.category != Category::Int || row.size != item) continue;
    if (row.is_signed ? is_signed_integer : is_unsigned_integer) return row.dtype;
  }
  return std::nullopt;
}

void release_buffer(void* owner) {
  const GilAcquire gil;
  auto* view = static_cast<Py_buffer*>(owner);
  PyBuffer_Release(view);
  delete view;
}

// The tensor on a buffer's memory; undefined where the format is none of ours (the caller says so).
Tensor tensor_on_buffer(PyObject* o, bool must) {
  auto view = std::make_unique<Py_buffer>();
  if (PyObject_GetBuffer(o, view.get(), PyBUF_RECORDS_RO) < 0) {
    PyErr_Clear();
    if (must)
      fail(ErrorKind::Type, "can't convert this ", Py_TYPE(o)->tp_name,
           ": its elements are no numbers that a tensor holds");
    return {};
  }
  struct Guard {
    std::unique_ptr<Py_buffer>& v;
    ~Guard() {
      if (v) PyBuffer_Release(v.get());
    }
  } guard{view};
  // NumPy's scalars of dates give no strides though they are asked for them.
  const bool complete = view->ndim == 0 || (view->shape && view->strides);
  const auto dtype = complete ? dtype_of_format(view->format, view->itemsize) : std::nullopt;
  if (!dtype || item_size(*dtype) != view->itemsize) {
    if (must && view->format && view->format[0] == '>')
      fail(ErrorKind::Value,
           "given numpy array has byte order different from the native byte order. Conversion between byte "
           "orders is currently not supported.");
    if (must && view->format) check_format_has_tensors(view->format, view->itemsize);
    if (must)
      fail(ErrorKind::Type, "can't convert an array with element format '", view->format ? view->format : "?",
           "'. The only supported types are: float64, float32, float16, int64, int32, int16, int8, uint64, uint32, "
           "uint16, "
           "uint8, and bool.");
    return {};
  }
  Dims shape, strides;
  for (int i = 0; i < view->ndim; ++i) {
    const Py_ssize_t s = view->strides[i];
    if (s < 0)
      fail(ErrorKind::Value,
           "At least one stride in the given numpy array is negative, and tensors with negative strides are "
           "not currently supported. (You can probably work around this by making a copy of your array with "
           "array.copy().)");
    check(s % view->itemsize == 0, ErrorKind::Value,
          "given numpy array strides not a multiple of the element byte size. Copy "
          "the numpy array to reallocate the memory.");
    shape.push_back(view->shape[i]);
    strides.push_back(s / view->itemsize);
  }
  if (reinterpret_cast<uintptr_t>(view->buf) % static_cast<uintptr_t>(view->itemsize)) return {};  // unaligned: copied
  int64_t reach = 1;
  bool none = false;
  for (int i = 0; i < shape.size(); ++i) {
    none |= shape[i] == 0;
    reach += (shape[i] - 1) * strides[i];
  }
  Py_buffer* owner = view.release();
  auto storage = Storage::foreign(owner->buf, none ? 0 : reach * owner->itemsize, owner, release_buffer);
  storage->writable = !owner->readonly;
  return tensor_on(std::move(storage), shape, strides, *dtype);
}

}  // namespace

// What shares its memory by DLPack alone, as arrays of other libraries do. (Our own tensors are looked at before.)
// Protocols stand in the type, nearly always: to ask an object makes what the attribute is, or an exception.
static bool has(PyObject* o, PyObject* name) { return _PyType_Lookup(Py_TYPE(o), name) || PyObject_HasAttr(o, name); }

static bool gives_dlpack(PyObject* o) {
  static PyObject* const name = PyUnicode_InternFromString("__dlpack__");
  return !PyList_CheckExact(o) && !PyTuple_CheckExact(o) && has(o, name);
}

bool is_array(PyObject* o) {
  static PyObject* const name = PyUnicode_InternFromString("__array_interface__");
  return !is_tensor(o) && PyObject_CheckBuffer(o) && has(o, name);
}

// ---- lists

namespace {

struct ListScan {
  Dims shape;
  std::optional<DType> dtype;                 // of what was seen so far
  const char* foreign = nullptr;              // the type of an element that is a number, but of no known dtype
  bool typed = false;                         // the dtype is given: elements are not asked for theirs
  const PyTypeObject* scalar_type = nullptr;  // of NumPy's scalars, the last one that was seen, and its dtype
  DType scalar_dtype = DType::Bool;

  void see(DType t) { dtype = dtype ? promote_types(*dtype, t) : t; }
};

bool is_sequence(PyObject* o) {
  return PyList_Check(o) || PyTuple_Check(o) ||
         (PySequence_Check(o) && !PyUnicode_Check(o) && !PyBytes_Check(o) && !PyDict_Check(o) &&
          PySequence_Size(o) >= 0);
}

// A list may hold itself.
void check_depth(size_t depth) {
  check(depth <= kMaxDims, ErrorKind::Value, "too many dimensions (more than ", kMaxDims, ") in the nested list");
}

// What the dtype is read from. torch asks a sequence by its [], which may give others than it iterates over: NumPy's
// numbers of a pandas Series, which iterates over Python's.
Owned item_to_type(PyObject* sequence, PyObject* fast, Py_ssize_t i) {
  if (sequence == fast) return item_of(fast, i);  // a list or a tuple
  Owned item(PySequence_GetItem(sequence, i));
  if (item.get()) return item;
  PyErr_Clear();
  return item_of(fast, i);
}

// The shape along the first elements and the widest kind over all of them. A tensor may stand for a row of numbers, but
// the shape is not taken from it.
void scan(PyObject* o, size_t depth, ListScan& s, bool first = true) {
  check_depth(depth);
  if (is_tensor(o)) {
    const TensorImpl* t = impl_of(o);
    const bool is_row = depth < static_cast<size_t>(s.shape.size());
    check(is_row || t->shape.empty() || t->numel == 1, ErrorKind::Value,
          "only one element tensors can be converted to Python scalars");
    return s.see(t->dtype);
  }
  if (PyComplex_CheckExact(o) && !s.typed)
    fail_name_alone(default_dtype() == DType::Float64 ? "complex128" : "complex64");
  if (is_number(o)) {
    if (s.typed) return s.see(DType::Bool);
    if (PyBool_Check(o)) return s.see(DType::Bool);
    if (PyLong_Check(o)) return s.see(DType::Int64);
    if (PyFloat_CheckExact(o)) return s.see(default_dtype());
    if (Py_TYPE(o) == s.scalar_type) return s.see(s.scalar_dtype);
    if (is_array(o)) {  // a NumPy scalar
      if (const Tensor t = tensor_on_buffer(o, true)) {
        const bool is_numpys = !(Py_TYPE(o)->tp_flags & Py_TPFLAGS_HEAPTYPE);  // whose scalars of one type are alike
        if (is_numpys) s.scalar_type = Py_TYPE(o), s.scalar_dtype = t.dtype();
        return s.see(t.dtype());
      }
    }
    if (PyFloat_Check(o)) return s.see(default_dtype());
    s.foreign = Py_TYPE(o)->tp_name;
    return;
  }
  if (!is_sequence(o)) {
    PyErr_Clear();
    // torch looks for the shape along the first elements, and then for the type: after a number it is there already.
    if (PyUnicode_Check(o) && depth > 0 && !s.dtype && !s.foreign) fail(ErrorKind::Value, "too many dimensions 'str'");
    if (PyUnicode_Check(o) || PyBytes_Check(o))
      fail(ErrorKind::Type, "new(): invalid data type '", Py_TYPE(o)->tp_name, "'");
    if (s.typed) return;  // its conversion will say what is wrong
    fail(ErrorKind::Runtime, "Could not infer dtype of ", Py_TYPE(o)->tp_name);
  }
  const Owned fast(checked(PySequence_Fast(o, "expected a sequence")));
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.get());
  if (first) s.shape.push_back(n);
  if (n == 0) s.see(default_dtype());
  PyObject* const from = s.typed ? fast.get() : o;
  for (Py_ssize_t i = 0; i < n; ++i) scan(item_to_type(from, fast.get(), i).get(), depth + 1, s, first && i == 0);
}

template <class T> T element(PyObject* o) {
  if constexpr (is_floating_type<T>) {
    if (!PyLong_Check(o)) return to_scalar(o).to<T>();
    const double v = PyLong_AsDouble(o);  // also of an int beyond int64
    if (v == -1 && PyErr_Occurred()) throw PythonError{};
    return static_cast<T>(v);
  }
  if constexpr (std::is_same_v<T, bool>)
    if (PyLong_Check(o) || is_numpy_bool(o)) return truth_of(o);
  if (!PyLong_Check(o) && is_numpy_bool(o)) return static_cast<T>(truth_of(o));
  if constexpr (std::is_same_v<T, uint64_t>) {
    check(!PyFloat_Check(o), ErrorKind::Type, "an integer is required");
    const Owned index(checked(PyNumber_Index(o)));
    const unsigned long long wide = PyLong_AsUnsignedLongLong(index.get());
    if (PyErr_Occurred()) throw PythonError{};
    return wide;
  }
  const Scalar v = PyFloat_Check(o) ? to_scalar(o) : Scalar(to_int64(o));
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    const bool in_int64 = !v.is_float() || (v.to_double() >= -0x1p63 && v.to_double() < 0x1p63);
    const int64_t i = in_int64 ? v.to_int() : 0;
    const bool wraps =
        std::is_unsigned_v<T> && i < 0 && uint64_t{0} - static_cast<uint64_t>(i) <= std::numeric_limits<T>::max();
    check(in_int64 && (static_cast<int64_t>(static_cast<T>(i)) == i || wraps), "value cannot be converted to type ",
          dtype_name(dtype_of<T>), " without overflow");
  }
  return v.to<T>();
}

template <class T> T* store_list(PyObject* o, const Dims& shape, int depth, T* to) {
  if (depth == shape.size()) {
    if (is_sequence(o) && !is_number(o) && !is_tensor(o))
      fail(ErrorKind::Type, "must be real number, not ", Py_TYPE(o)->tp_name, ": the nested lists are ragged");
    *to = element<T>(o);
    return to + 1;
  }
  const bool is_row = is_tensor(o) ? !impl_of(o)->shape.empty() : is_sequence(o);
  if (!is_row) {
    PyErr_Clear();
    fail(ErrorKind::Type, "expected a sequence of length ", shape[depth], " at dim ", depth, ", got ",
         Py_TYPE(o)->tp_name);
  }
  const Owned fast(checked(PySequence_Fast(o, "expected a sequence")));
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.get());
  check(n == shape[depth], ErrorKind::Value, "expected sequence of length ", shape[depth], " at dim ", depth, " (got ",
        n, ")");
  for (Py_ssize_t i = 0; i < n; ++i) to = store_list(item_of(fast.get(), i).get(), shape, depth + 1, to);
  return to;
}

// A list of equal tensors or arrays, as torch takes it: element by element for lists of numbers, stacked here.
bool is_list_of_arrays(PyObject* o) {
  if ((!PyList_Check(o) && !PyTuple_Check(o)) || PySequence_Fast_GET_SIZE(o) == 0) return false;
  const Owned first = item_of(o, 0);
  return is_array(first.get()) && !is_number(first.get());
}

bool is_shareable(PyObject* array) {
  Py_buffer view;
  if (PyObject_GetBuffer(array, &view, PyBUF_RECORDS_RO) < 0) {
    PyErr_Clear();
    return true;  // an error that others report
  }
  bool good = !view.format || view.format[0] != '>';
  for (int i = 0; view.strides && i < view.ndim; ++i) good &= view.strides[i] >= 0;
  PyBuffer_Release(&view);
  return good;
}

// An array in a list may have negative strides, or bytes in the other order: its elements are read one by one in torch.
Owned array_to_stack(PyObject* o) {
  if (is_tensor(o) || is_number(o) || !is_array(o) || is_shareable(o)) return Owned(Py_NewRef(o));
  const Owned dtype(checked(PyObject_GetAttrString(o, "dtype")));
  const Owned native(checked(PyObject_CallMethod(dtype.get(), "newbyteorder", "s", "=")));
  return Owned(checked(PyObject_CallMethod(o, "astype", "Os", native.get(), "C")));
}

}  // namespace

void warn_of_copy(const char* call) {
  warn(
      "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
      "sourceTensor.detach().clone().requires_grad_(True), rather than ",
      call, ".");
}

static Tensor tensor_from_object(PyObject* data, std::optional<DType> dtype, size_t depth) {
  check_depth(depth);
  const NoRecordGuard off;
  if (is_tensor(data)) {
    const Tensor t = unwrap(data);
    return dtype && *dtype != t.dtype() ? cast(t, *dtype) : clone(t);
  }
  if (!is_number(data) && is_array(data)) {
    Tensor t = tensor_on_buffer(data, true);
    if (!t) share_array(Owned(checked(PyObject_CallMethod(data, "copy", nullptr))).get(), t);
    check(t.defined(), ErrorKind::Type, "can't convert this ", Py_TYPE(data)->tp_name, ": its copy() is no array");
    return dtype && *dtype != t.dtype() ? cast(t, *dtype) : clone(t);
  }
  if (!is_number(data) && gives_dlpack(data)) {
    const Tensor t = tensor_of_dlpack(data);
    return dtype && *dtype != t.dtype() ? cast(t, *dtype) : clone(t);
  }
  if (is_list_of_arrays(data)) {
    static std::atomic<bool> warned = false;
    warn_once(
        warned,
        "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to "
        "a single numpy.ndarray with numpy.array() before converting to a tensor.");
    std::vector<Tensor> parts;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(data); ++i) {
      parts.push_back(tensor_from_object(array_to_stack(item_of(data, i).get()).get(), dtype, depth + 1));
      check(same_shape(parts[0], parts.back()), ErrorKind::Value, "expected sequences of shape ", parts[0].shape(),
            " (got ", parts.back().shape(), " at position ", i, ")");
    }
    return stack(std::span<const Tensor>(parts), 0);
  }
  ListScan s;
  s.typed = dtype.has_value();
  scan(data, 0, s);
  check(dtype || !s.foreign, "Could not infer dtype of ", s.foreign ? s.foreign : "");
  const DType t = dtype ? *dtype : s.dtype.value_or(default_dtype());
  const Tensor out = empty(s.shape, t);
  if (out.numel() == 0) return out;  // what stands beside an empty list is not looked at
  visit_dtype(t, [&](auto tag) {
    using T = typename decltype(tag)::type;
    store_list<T>(data, s.shape, 0, out.host<T>());
  });
  return out;
}

Tensor tensor_from_object(PyObject* data, std::optional<DType> dtype) { return tensor_from_object(data, dtype, 0); }

static PyObject* storage_method() {
  static PyObject* const name = PyUnicode_InternFromString("_tensor_on_memory");
  return name;
}

bool is_storage(PyObject* o) { return !PyList_CheckExact(o) && _PyType_Lookup(Py_TYPE(o), storage_method()); }

Tensor tensor_on_storage(PyObject* storage, PyObject* dtype, int64_t room) {
  const Owned size(checked(PyLong_FromLongLong(room)));
  const Owned made(checked(
      PyObject_CallMethodObjArgs(storage, storage_method(), dtype, size.get(), static_cast<PyObject*>(nullptr))));
  check(is_tensor(made.get()), ErrorKind::Type, "a storage's memory is a tensor, not ", Py_TYPE(made.get())->tp_name);
  return unwrap(made.get());
}

bool share_array(PyObject* array, Tensor& out) {
  if (!PyObject_CheckBuffer(array)) return false;
  out = tensor_on_buffer(array, true);
  if (!out) fail(ErrorKind::Value, "the array's memory is not aligned to its element size: copy it first");
  return true;
}

// ---- indexing
//
// An index is read from left to right; ints, slices, None and Ellipsis are views at once, tensors, masks and lists
// collect into the operands of one advanced `index`.

namespace {

struct Indexing {
  Tensor view;                  // after the basic part
  std::vector<Tensor> tensors;  // by dim of `view`; undefined: full slice
  bool advanced = false;
  bool scalar_mask = false;  // a bool or a 0-d mask is among them
};

bool is_int_index(PyObject* o) {
  if (PyBool_Check(o)) return false;
  if (PyLong_Check(o)) return true;
  return !is_tensor(o) && is_foreign_number(o) && PyIndex_Check(o);
}

// A tensor index that is one integer counts as an int, except within vmap, where each sample has its own.
bool is_scalar_tensor_index(PyObject* o) {
  if (!is_tensor(o) || impl_of(o)->dtype == DType::UInt8) return false;  // bytes are a mask
  return impl_of(o)->shape.empty() && is_integral(impl_of(o)->dtype) && !requires_grad(impl_of(o)) &&
         !impl_of(o)->batch;
}

// Of an array, a list or another sequence: torch converts all but masks to int64.
Tensor index_from_object(PyObject* o) {
  const Tensor t = tensor_from_object(o, std::nullopt);
  return t.dtype() == DType::Bool || t.dtype() == DType::UInt8 ? t : cast(t, DType::Int64);
}

Tensor tensor_index(PyObject* o) {
  if (is_tensor(o)) {
    if (impl_of(o)->dtype == DType::UInt8)
      warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.");
    const Tensor t = unwrap(o);
    if (t.dtype() == DType::Bool || t.dtype() == DType::UInt8 || t.dtype() == DType::Int64) return t;
    check(is_integral(t.dtype()), ErrorKind::Index, "tensors used as indices must be long, int, byte or bool tensors");
    return t;
  }
  return index_from_object(o);
}

int consumed_dims(PyObject* o) {
  if (o == Py_None || o == Py_Ellipsis || PyBool_Check(o)) return 0;
  if (is_tensor(o) && (impl_of(o)->dtype == DType::Bool || impl_of(o)->dtype == DType::UInt8))
    return impl_of(o)->shape.size();
  if (is_array(o) && !is_number(o)) {
    const Tensor t = tensor_from_object(o, std::nullopt);
    return t.dtype() == DType::Bool || t.dtype() == DType::UInt8 ? t.dim() : 1;
  }
  return 1;
}

Tensor sliced(const Tensor& t, int dim, PyObject* o) {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(o, &start, &stop, &step) < 0) throw PythonError{};
  check(step > 0, ErrorKind::Value, "step must be greater than zero");
  // Looked at only now: the numbers' __index__ may have changed the tensor.
  check(dim < t.dim(), ErrorKind::Index, "too many indices for tensor of dimension ", t.dim());
  const Py_ssize_t n = t.size(dim);
  if (start == 0 && stop >= n && step == 1) return t;
  PySlice_AdjustIndices(n, &start, &stop, step);
  return slice(t, dim, start, stop < start ? start : stop, step);
}

struct IndexReader {
  Indexing out;
  int dim = 0;       // of out.view, where the next item applies
  int consumed = 0;  // dims that the entries of out.tensors stand for
  int place = 0;     // of the item within the key, which errors name

  void put_tensor(Tensor t) {
    out.tensors.resize(out.tensors.size() + dim - consumed);  // full slices up to here
    const int used = t.dtype() == DType::Bool || t.dtype() == DType::UInt8 ? t.dim() : 1;
    if (used == 0) {  // a 0-d mask adds a dim of 0 or 1
      out.scalar_mask = true;
      out.view = unsqueeze(out.view, dim);
      Tensor mask = expand(unsqueeze(cast(t, DType::Bool), 0), Dims{1});
      t = std::move(mask);
    }
    out.tensors.push_back(std::move(t));
    dim += used ? used : 1;
    consumed = dim;
    out.advanced = true;
  }

  void read(PyObject* o, int rest) {
    if (o == Py_None) {
      out.view = unsqueeze(out.view, dim++);
      return;
    }
    if (o == Py_Ellipsis) {
      check(dim + rest <= out.view.dim(), ErrorKind::Index, "too many indices for tensor of dimension ",
            out.view.dim());
      dim = out.view.dim() - rest;
      return;
    }
    if (PyBool_Check(o)) return put_tensor(scalar_tensor(o == Py_True, DType::Bool));
    if (is_array(o) && !is_number(o)) return read(Owned(wrap(index_from_object(o))).get(), rest);
    if (is_int_index(o) || is_scalar_tensor_index(o)) {
      const int64_t i = is_tensor(o) ? to_scalar(o).to_int() : to_int64(o);
      check(dim < out.view.dim(), ErrorKind::Index, "too many indices for tensor of dimension ", out.view.dim());
      const int64_t n = out.view.size(dim);
      check(i >= -n && i < n, ErrorKind::Index, "index ", i, " is out of bounds for dimension ", place, " with size ",
            n);
      out.view = select(out.view, dim, i);
      return;
    }
    if (PySlice_Check(o)) {
      out.view = sliced(out.view, dim, o);
      ++dim;
      return;
    }
    check(!PyUnicode_Check(o) && !PyBytes_Check(o), ErrorKind::Type, "new(): invalid data type '", Py_TYPE(o)->tp_name,
          "'");
    const bool array = is_tensor(o) || is_sequence(o);  // NumPy's scalars but integers are refused
    PyErr_Clear();
    if (!array)
      fail(ErrorKind::Index,
           "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
           "(got ",
           Py_TYPE(o)->tp_name, ")");
    put_tensor(tensor_index(o));
  }
};

// torch's old rule: a short sequence that holds a sequence, a tensor, a slice, None or an Ellipsis stands for a tuple
// of indices. To ask it for its items may run the program's own code, whose exceptions torch forgets.
bool stands_for_tuple(PyObject* key) {
  constexpr Py_ssize_t kShort = 32;
  if (PyTuple_Check(key) || PySlice_Check(key) || PyLong_Check(key)) return false;  // what most keys are
  if (is_tensor(key) || is_array(key)) return false;
  const Py_ssize_t n = is_sequence(key) ? PySequence_Size(key) : 0;
  for (Py_ssize_t i = 0; n < kShort && i < n; ++i) {
    const Owned item(PySequence_GetItem(key, i));
    PyObject* o = item.get();
    if (!o) break;
    if (is_tensor(o) || PySequence_Check(o) || PySlice_Check(o) || o == Py_None || o == Py_Ellipsis) return true;
  }
  PyErr_Clear();
  return false;
}

Indexing read_index(const Tensor& t, PyObject* key) {
  IndexReader r;
  r.out.view = t;
  if (stands_for_tuple(key)) {
    const int failed = PyErr_WarnEx(PyExc_UserWarning,
                                    "Using a non-tuple sequence for multidimensional indexing is deprecated; "
                                    "use x[tuple(seq)] instead of x[seq]",
                                    1);
    if (failed) throw PythonError{};
    const Owned tuple(checked(PySequence_Tuple(key)));
    return read_index(t, tuple.get());
  }
  if (!PyTuple_Check(key)) {
    const int used = consumed_dims(key);
    check(used <= t.dim(), ErrorKind::Index, "too many indices for tensor of dimension ", t.dim());
    r.read(key, 0);
    return std::move(r.out);
  }
  const Py_ssize_t n = PyTuple_GET_SIZE(key);
  int used = 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* o = PyTuple_GET_ITEM(key, i);
    used += consumed_dims(o);
  }
  check(used <= t.dim(), ErrorKind::Index, "too many indices for tensor of dimension ", t.dim());
  int behind = used;  // dims that the items still to come use: where an ellipsis ends
  for (Py_ssize_t i = 0; i < n; ++i) {
    behind -= consumed_dims(PyTuple_GET_ITEM(key, i));
    r.place = i;
    r.read(PyTuple_GET_ITEM(key, i), behind);
  }
  return std::move(r.out);
}

}  // namespace

PyObject* getitem(PyObject* self, PyObject* key) {
  return guarded([&]() -> PyObject* {
    const Borrowed t(self);
    if (PyLong_CheckExact(key) && t->dim() > 0) {  // x[i]
      const int64_t i = to_int64(key), n = t->size(0);
      check(i >= -n && i < n, ErrorKind::Index, "index ", i, " is out of bounds for dimension 0 with size ", n);
      return wrap(select(t, 0, i));
    }
    if (t->dim() == 0 && is_int_index(key))
      fail(ErrorKind::Index,
           "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a "
           "number");
    const Indexing ix = read_index(t, key);
    if (ix.advanced) return wrap(index(ix.view, ix.tensors));
    if (!ix.view.is_same(*t)) return wrap(ix.view);
    return wrap(PySlice_Check(key) ? slice(t, 0, 0, t->size(0), 1) : alias(t));
  });
}

// `stripped`: without its leading dims of one. Which of the two is written decides which overlaps torch refuses.
static void assign(const Tensor& view, const Tensor& value, const Tensor& stripped) {
  if (value.shape() == view.shape()) return copy_(view, value);
  if (value.dim() == 0) return fill_(view, Operand(value));
  copy_(view, expand(stripped, view.shape()));
}

int setitem(PyObject* self, PyObject* key, PyObject* value) {
  return guarded_int([&] {
    check(value != nullptr, ErrorKind::Type, "Tensor does not support deleting items");
    const Borrowed t(self);
    if (t->dim() == 0 && is_int_index(key))
      fail(ErrorKind::Index,
           "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a "
           "number");
    Tensor from;
    if (is_tensor(value)) {
      from = unwrap(value);
    } else if (is_number(value)) {
      const Scalar number = PyLong_Check(value) ? Scalar(to_int64(value)) : to_scalar(value);
      check_fits_alone(number, t->dtype());
      from = scalar_tensor(number, t->dtype());
    } else {
      fail(ErrorKind::Type, "can't assign a ", Py_TYPE(value)->tp_name, " to a torch.", scalar_type_name(t->dtype()),
           "Tensor");
    }
    const Tensor given = from;
    // Leading dims of one are dropped, as torch does.
    while (from.dim() > 0 && from.size(0) == 1) from = select(from, 0, 0);
    if (key == Py_False) return;  // selects nothing
    if (key == Py_True) return assign(unsqueeze(t, 0), given, from);
    const Indexing ix = read_index(t, key);
    if (ix.advanced) {
      // torch converts a single value under a mask, and wants the same dtype otherwise.
      int used = 0;
      bool masked = !ix.scalar_mask;
      for (const Tensor& i : ix.tensors) {
        if (!i) continue;
        masked &= i.dtype() == DType::Bool && ++used == 1;
      }
      index_put_(ix.view, ix.tensors, masked && from.numel() == 1 ? cast(from, ix.view.dtype()) : from, false);
      return;
    }
    assign(ix.view, given, from);
  });
}

// ---- the module's functions

namespace {

Tensor with_grad(Tensor t, bool needs_grad) {
  if (!needs_grad) return t;
  check(is_floating(t.dtype()), "Only Tensors of floating point and complex dtype can require gradients");
  set_requires_grad(t, true);
  return t;
}

Tensor as_tensor(PyObject* data, std::optional<DType> dtype) {
  const auto cast_to = [&](const Tensor& t) { return dtype ? cast(t, *dtype) : t; };
  if (is_tensor(data)) return cast_to(unwrap(data));
  if (!is_number(data) && is_array(data)) {
    Tensor t;
    share_array(data, t);
    return cast_to(t);
  }
  if (!is_number(data) && gives_dlpack(data)) return cast_to(tensor_of_dlpack(data));
  return tensor_from_object(data, dtype);
}
std::optional<DType> dtype_or_none(py::handle h) {
  if (h.is_none()) return std::nullopt;
  const auto d = to_dtype(h.ptr());
  if (!d) fail(ErrorKind::Type, "dtype must be a torch.dtype, not ", Py_TYPE(h.ptr())->tp_name);
  return d;
}

}  // namespace

// What a buffer that we gave away needs for as long as it lives, whatever becomes of the tensor meanwhile.
namespace {
struct Export {
  Ref<Storage> storage;
  std::vector<Py_ssize_t> dims;  // sizes, then strides
};
}  // namespace

// The buffer protocol, which is how NumPy shares our memory.
static void fill_buffer(PyObject* self, Py_buffer* view, int flags) {
  const TensorImpl* t = impl_of(self);
  const auto refuse = [](const char* text) {
    PyErr_SetString(PyExc_BufferError, text);
    throw PythonError{};
  };
  check(!t->batch, "vmap: a Tensor that is being vmapped over gives no buffer: its values differ by sample");
  check(*info_of(t->dtype).format, ErrorKind::Type, "Got unsupported ScalarType ", scalar_type_name(t->dtype));
  const auto wants = [&](int flag) { return (flags & flag) == flag; };
  // Who asks for no strides, or for a certain order of them, reads the memory without looking at them.
  if (!t->contiguous &&
      (!wants(PyBUF_STRIDES) || wants(PyBUF_C_CONTIGUOUS) || wants(PyBUF_F_CONTIGUOUS) || wants(PyBUF_ANY_CONTIGUOUS)))
    refuse("the tensor is not contiguous: use tensor.contiguous()");
  if (requires_grad(t)) refuse("a tensor that requires grad gives no buffer: use tensor.detach()");
  if (wants(PyBUF_WRITABLE) && !t->storage->writable) refuse("the tensor's memory is read-only");
  const int n = t->shape.size();
  auto kept = std::make_unique<Export>(t->storage, std::vector<Py_ssize_t>(2 * static_cast<size_t>(n)));
  for (int i = 0; i < n; ++i) {
    kept->dims[i] = t->shape[i];
    kept->dims[n + i] = t->strides[i] * item_size(t->dtype);
  }
  view->buf = Borrowed(self)->host();  // may raise
  view->obj = Py_NewRef(self);
  view->len = t->numel * item_size(t->dtype);
  view->readonly = !t->storage->writable;
  view->itemsize = item_size(t->dtype);
  view->format = (flags & PyBUF_FORMAT) ? const_cast<char*>(info_of(t->dtype).format) : nullptr;
  view->ndim = n;
  view->shape = wants(PyBUF_ND) ? kept->dims.data() : nullptr;
  view->strides = wants(PyBUF_STRIDES) ? kept->dims.data() + n : nullptr;
  view->suboffsets = nullptr;
  view->internal = kept.release();
}
int tensor_getbuffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guarded_int([&] { fill_buffer(self, view, flags); });
}
void tensor_releasebuffer(PyObject*, Py_buffer* view) { delete static_cast<Export*>(view->internal); }

// Each object becomes the wrapper of the other's tensor.
static void swap_wrapped(PyTensor* a, PyTensor* b) {
  std::swap(a->impl, b->impl);
  a->impl->pyobject = a;
  b->impl->pyobject = b;
}

void add_data(py::module_& m) {
  m.def("_make_subclass", [](py::type type, const Tensor& t, bool requires_grad_) {
    auto* cls = reinterpret_cast<PyTypeObject*>(type.ptr());
    check(PyType_IsSubtype(cls, tensor_type), ErrorKind::Type,
          "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible: ", cls->tp_name,
          " is none");
    Tensor alias = detach(t);
    check(!requires_grad_ || is_floating(t.dtype()),
          "Only Tensors of floating point and complex dtype can require gradients");
    if (requires_grad_) set_requires_grad(alias, true);
    return py::reinterpret_steal<py::object>(wrap_as(cls, std::move(alias)));
  });
  m.def("_swap_tensors", [](py::handle a, py::handle b) {
    check(is_tensor(a.ptr()) && is_tensor(b.ptr()), ErrorKind::Type, "swap_tensors: expected two tensors");
    await_readers();
    swap_wrapped(reinterpret_cast<PyTensor*>(a.ptr()), reinterpret_cast<PyTensor*>(b.ptr()));
  });
  // No op: what is no tensor, but has a __torch_function__, is not asked.
  m.def("is_tensor", [](py::handle obj) { return is_tensor(obj.ptr()); }, py::arg("obj"), docs::is_tensor);
  m.def(
      "tensor",
      [](py::handle data, py::handle dtype, py::handle device, bool requires_grad_, bool) {
        if (is_tensor(data.ptr())) warn_of_copy("torch.tensor(sourceTensor)");
        const Tensor t = is_storage(data.ptr()) ? tensor_on_storage(data.ptr(), dtype.ptr())
                                                : tensor_from_object(data.ptr(), dtype_or_none(dtype));
        return with_grad(placed(t, device.ptr()), requires_grad_);
      },
      py::arg("data"), py::kw_only(), py::arg("dtype") = py::none(), py::arg("device") = py::none(),
      py::arg("requires_grad").noconvert() = false, py::arg("pin_memory") = false, docs::tensor);
  m.def(
      "as_tensor",
      [](py::handle data, py::handle dtype, py::handle device) -> Tensor {
        if (is_storage(data.ptr())) return placed(tensor_on_storage(data.ptr(), dtype.ptr()), device.ptr());
        return placed(as_tensor(data.ptr(), dtype_or_none(dtype)), device.ptr());
      },
      py::arg("data"), py::kw_only(), py::arg("dtype") = py::none(), py::arg("device") = py::none(), docs::as_tensor);
  m.def(
      "from_numpy",
      [](py::handle array) -> Tensor {
        if (!is_array(array.ptr()) || is_number(array.ptr()))
          fail(ErrorKind::Type, "expected np.ndarray (got ", Py_TYPE(array.ptr())->tp_name, ")");
        Tensor t;
        share_array(array.ptr(), t);
        return t;
      },
      py::arg("ndarray"), docs::from_numpy);
  m.def(
      "frombuffer",
      [](py::handle buffer, py::handle dtype, int64_t count, int64_t offset, bool requires_grad_) {
        const auto d = dtype_or_none(dtype);
        check(d.has_value(), ErrorKind::Type, "frombuffer() needs a dtype");
        check(PyObject_CheckBuffer(buffer.ptr()), ErrorKind::Value,
              "object does not implement Python buffer protocol.");
        auto view = std::make_unique<Py_buffer>();
        if (PyObject_GetBuffer(buffer.ptr(), view.get(), PyBUF_ND | PyBUF_FORMAT) < 0) throw py::error_already_set();
        Py_buffer* owner = view.release();
        auto storage = Storage::foreign(owner->buf, owner->len, owner, release_buffer);
        storage->writable = !owner->readonly;
        check(!owner->format || !std::strchr(owner->format, 'O'), ErrorKind::Type,
              "frombuffer(): the buffer holds Python objects");
        const int64_t item = item_size(*d);
        check(owner->len > 0 && count != 0, ErrorKind::Value, "both buffer length (", static_cast<int64_t>(owner->len),
              ") and count (", count, ") must not be 0");
        check(offset >= 0 && offset < owner->len, ErrorKind::Value, "offset (", offset,
              " bytes) must be non-negative and no greater than buffer length (", static_cast<int64_t>(owner->len),
              " bytes) minus 1");
        const int64_t room = (owner->len - offset) / item;
        check(count > 0 || (owner->len - offset) % item == 0, ErrorKind::Value, "buffer length (",
              static_cast<int64_t>(owner->len - offset), " bytes) after offset (", offset,
              " bytes) must be a multiple of element size (", item, ")");
        check(count <= room, ErrorKind::Value, "requested buffer length (", count, " * ", item,
              " bytes) after offset (", offset, " bytes) must not be greater than actual buffer length (",
              static_cast<int64_t>(owner->len), " bytes)");
        const int64_t n = count < 0 ? room : count;
        char* first = static_cast<char*>(owner->buf) + offset;
        check(reinterpret_cast<uintptr_t>(first) % static_cast<uintptr_t>(item) == 0, ErrorKind::Value,
              "the buffer at this offset is not aligned to the element size");
        return with_grad(tensor_on(std::move(storage), Dims{n}, Dims{1}, *d, offset), requires_grad_);
      },
      py::arg("buffer"), py::kw_only(), py::arg("dtype"), py::arg("count") = -1, py::arg("offset") = 0,
      py::arg("requires_grad") = false, docs::frombuffer);
  m.def("_cast", [](const Tensor& t, py::handle dtype, bool copy) {
    const auto d = dtype_or_none(dtype);
    const DType to = d.value_or(t.dtype());
    if (to != t.dtype()) return cast(t, to);
    return copy ? clone(t) : t;
  });
}

}  // namespace gradcore
