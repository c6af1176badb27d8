// DLPack: tensors that share memory with other libraries, both ways. Start at give_capsule() and take_capsule().
// The layouts are those of the specification: https://dmlc.github.io/dlpack/latest/c_api.html
//
// Note [Who frees what]
// A capsule holds a managed tensor and its deleter. Who takes the tensor renames the capsule, and from then on calls
// the deleter; the destructor of a capsule that nobody took calls it itself. What we give away holds the storage, not
// the tensor: the tensor may go, or become another window, at any time. What we take becomes the owner of a foreign
// storage, which is let go with its last view.
#include "bindings/define.h"
#include "bindings/gil.h"

namespace gradcore {

namespace {

// ---- the layouts

struct DlDevice {
  int32_t type, id;
};
struct DlType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct DlTensor {
  void* data;
  DlDevice device;
  int32_t ndim;
  DlType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null for a contiguous tensor
  uint64_t byte_offset;
};
struct DlManaged {
  DlTensor tensor;
  void* context;
  void (*deleter)(DlManaged*);
};
struct DlVersion {
  uint32_t major, minor;
};
struct DlManagedVersioned {
  DlVersion version;
  void* context;
  void (*deleter)(DlManagedVersioned*);
  uint64_t flags;
  DlTensor tensor;
};

constexpr int32_t kCpu = 1;
constexpr uint8_t kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kBool = 6;
constexpr uint64_t kReadOnly = 1, kIsCopied = 2;

template <class Managed> struct NameOf;
template <> struct NameOf<DlManaged> {
  static constexpr char fresh[] = "dltensor", used[] = "used_dltensor";
};
template <> struct NameOf<DlManagedVersioned> {
  static constexpr char fresh[] = "dltensor_versioned", used[] = "used_dltensor_versioned";
};

template <class... Parts> [[noreturn]] void refuse(const Parts&... parts) {
  PyErr_SetString(PyExc_BufferError, str_cat(parts...).c_str());
  throw PythonError{};
}

// ---- giving

uint8_t code_of(const DTypeInfo& type) {
  if (type.category == Category::Bool) return kBool;
  if (type.dtype == DType::BFloat16) return kBfloat;
  if (type.category == Category::Float) return kFloat;
  return type.is_signed ? kInt : kUInt;
}
DlType dl_type_of(DType t) { return {code_of(info_of(t)), static_cast<uint8_t>(8 * item_size(t)), 1}; }

template <class Managed> struct Given {
  Managed managed{};
  Ref<Storage> storage;
  std::vector<int64_t> dims;  // sizes, then strides

  explicit Given(const Tensor& t) : storage(t->storage), dims(t.shape().begin(), t.shape().end()) {
    dims.insert(dims.end(), t.strides().begin(), t.strides().end());
    managed.context = this;
    managed.deleter = [](Managed* m) {
      if (!Py_IsInitialized()) return;  // after the interpreter's end nobody may free
      const GilAcquire gil;
      delete static_cast<Given*>(m->context);
    };
    managed.tensor = {t.host(), {kCpu, 0}, t.dim(), dl_type_of(t.dtype()), dims.data(), dims.data() + t.dim(), 0};
  }
};

template <class Managed> void drop_capsule(PyObject* capsule) {
  if (!PyCapsule_IsValid(capsule, NameOf<Managed>::fresh)) return;  // somebody took it
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule, NameOf<Managed>::fresh));
  if (managed->deleter) managed->deleter(managed);
}

template <class Managed> PyObject* give_capsule(const Tensor& t, uint64_t flags) {
  auto given = std::make_unique<Given<Managed>>(t);
  if constexpr (std::is_same_v<Managed, DlManagedVersioned>) {
    given->managed.version = {1, 0};
    given->managed.flags = flags | (t->storage->writable ? 0 : kReadOnly);
  }
  PyObject* capsule = checked(PyCapsule_New(&given->managed, NameOf<Managed>::fresh, drop_capsule<Managed>));
  given.release();
  return capsule;
}

PyObject* to_dlpack(const Tensor& input, bool versioned, bool copy) {
  check(!input->batch, "vmap: a Tensor that is being vmapped over gives no capsule: its values differ by sample");
  const NoRecordGuard off;
  const Tensor t = copy ? clone(input) : input;
  if (versioned) return give_capsule<DlManagedVersioned>(t, copy ? kIsCopied : 0);
  if (!t->storage->writable) refuse("the tensor's memory is read-only, which DLPack before 1.0 cannot say");
  return give_capsule<DlManaged>(t, 0);
}

// ---- taking

DType dtype_of_dl(DlType type) {
  for (const DTypeInfo& row : kDTypes)
    if (type.code == code_of(row) && type.bits == 8 * row.size && type.lanes == 1) return row.dtype;
  const int code = type.code, bits = type.bits, lanes = type.lanes;
  refuse("gradcore has no tensors of this DLPack type: code ", code, ", ", bits, " bits, ", lanes, " lanes");
}

Dims strides_of(const DlTensor& t, const Dims& shape) {
  Dims strides = contiguous_strides(shape);
  for (int i = 0; t.strides && i < t.ndim; ++i) {
    if (t.strides[i] < 0) refuse("a tensor cannot have negative strides: copy the array first");
    strides[i] = t.strides[i];
  }
  return strides;
}

// How many bytes from its first element on a tensor reaches.
int64_t reach_of(const Dims& shape, const Dims& strides, int64_t item) {
  int64_t last = 0;
  bool too_far = false;
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return 0;
    int64_t step = 0;
    too_far |= __builtin_mul_overflow(shape[i] - 1, strides[i], &step) || __builtin_add_overflow(last, step, &last);
  }
  int64_t bytes = 0;
  too_far |= __builtin_add_overflow(last, 1, &last) || __builtin_mul_overflow(last, item, &bytes);
  if (too_far) refuse("the array is larger than memory can be");
  return bytes;
}

template <class Managed> void release_taken(void* owner) {
  auto* managed = static_cast<Managed*>(owner);
  if (!managed->deleter || !Py_IsInitialized()) return;
  const GilAcquire gil;
  managed->deleter(managed);
}

// Everything that may be refused is looked at before the capsule is taken.
template <class Managed> Tensor take_capsule(PyObject* capsule) {
  auto* managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule, NameOf<Managed>::fresh));
  bool writable = true;
  if constexpr (std::is_same_v<Managed, DlManagedVersioned>) {
    const auto major = static_cast<int64_t>(managed->version.major);
    if (major > 1) refuse("the capsule is of DLPack ", major, ", and versions up to 1 are known");
    writable = !(managed->flags & kReadOnly);
  }
  const DlTensor& t = managed->tensor;
  if (t.device.type != kCpu)
    refuse("the array is not in the CPU's memory (DLPack device ", int64_t{t.device.type}, ")");
  const DType dtype = dtype_of_dl(t.dtype);
  if (t.ndim < 0 || t.ndim > kMaxDims) refuse("the array has ", int64_t{t.ndim}, " dims");
  Dims shape;
  for (int i = 0; i < t.ndim; ++i) {
    if (t.shape[i] < 0) refuse("the array has a negative size");
    shape.push_back(t.shape[i]);
  }
  const int64_t numel = checked_numel(shape);
  const Dims strides = strides_of(t, shape);
  const int64_t bytes = reach_of(shape, strides, item_size(dtype));
  char* first = static_cast<char*>(t.data) + (t.data ? t.byte_offset : 0);
  if (numel && !first) refuse("the array has elements and no memory");
  if (reinterpret_cast<uintptr_t>(first) % static_cast<uintptr_t>(item_size(dtype)))
    refuse("the array's memory is not aligned to its element size: copy it first");
  if (PyCapsule_SetName(capsule, NameOf<Managed>::used) < 0) throw PythonError{};
  auto storage = Storage::foreign(first, bytes, managed, release_taken<Managed>);
  storage->writable = writable;
  return tensor_on(std::move(storage), shape, strides, dtype);
}

Tensor from_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, NameOf<DlManagedVersioned>::fresh)) return take_capsule<DlManagedVersioned>(capsule);
  if (PyCapsule_IsValid(capsule, NameOf<DlManaged>::fresh)) return take_capsule<DlManaged>(capsule);
  fail(
      "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might "
      "have already constructed a tensor from it once.");
}

}  // namespace

Tensor tensor_of_dlpack(PyObject* o) {
  const Owned module(checked(PyImport_ImportModule("gradcore.utils.dlpack")));
  const Owned made(checked(PyObject_CallMethod(module.get(), "from_dlpack", "O", o)));
  check(is_tensor(made.get()), ErrorKind::Type, "from_dlpack() gave no tensor");
  return unwrap(made.get());
}

void add_dlpack(py::module_& m) {
  m.def("_to_dlpack", [](const Tensor& data, bool versioned, bool copy) {
    return py::reinterpret_steal<py::object>(checked(to_dlpack(data, versioned, copy)));
  });
  m.def("_from_dlpack", [](py::handle capsule) { return from_capsule(capsule.ptr()); });
}

}  // namespace gradcore
