// Where the running Python program is: Note [Origin lines] in core/origin.h. Start at now().
// Reading the interpreter's own frame costs a nanosecond or two; the public way makes a frame object for every call of
// a user's function first. 3.12 and later have public accessors for it, 3.11 shows the struct to those who ask.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#if PY_VERSION_HEX < 0x030C0000
#define Py_BUILD_CORE
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
#endif

#include <unordered_map>
#include <vector>

#include "bindings/define.h"
#include "bindings/docs.h"
#include "bindings/node.h"
#include "core/origin.h"

namespace gradcore {

namespace {

// One code object that was seen; it is kept for good, so that its address stands for it.
struct KnownCode {
  PyCodeObject* code;
  bool ours;  // a file of this package: the line that matters is its caller's
};
constexpr size_t kMostCodes =
    size_t{1} << 20;  // a program that makes code without end does not make us grow without end
constexpr size_t kRecent = 256;

std::vector<KnownCode>& known_codes() {
  static auto* codes = new std::vector<KnownCode>(1);
  return *codes;
}

bool is_ours(PyCodeObject* code) {
  static const std::string package = [] {
    const Owned module(PyImport_ImportModule("gradcore"));
    const Owned file(module ? PyObject_GetAttrString(module.get(), "__file__") : nullptr);
    const std::string path = file && PyUnicode_Check(file.get()) ? utf8(file.get()) : "";
    PyErr_Clear();
    return path.substr(0, path.rfind('/') + 1);
  }();
  return !package.empty() && utf8(code->co_filename).starts_with(package);
}

// The place of a code object in known_codes(); 0 when there is no more room.
uint32_t intern(PyCodeObject* code) {
  struct Recent {
    PyCodeObject* code;
    uint32_t id;
  };
  static Recent recent[kRecent];
  Recent& slot = recent[(reinterpret_cast<uintptr_t>(code) >> 6) % kRecent];
  if (slot.code == code) [[likely]]
    return slot.id;
  static auto* all = new std::unordered_map<PyCodeObject*, uint32_t>;
  const auto found = all->find(code);
  uint32_t id = found == all->end() ? 0 : found->second;
  if (!id) {
    auto& codes = known_codes();
    if (codes.size() >= kMostCodes) return 0;
    id = static_cast<uint32_t>(codes.size());
    Py_INCREF(code);
    codes.push_back({code, is_ours(code)});
    all->emplace(code, id);
  }
  slot = {code, id};
  return id;
}

// The frame of the interpreter that called us, with its code and the byte offset of its instruction.
#if PY_VERSION_HEX < 0x030C0000
struct Frame {
  _PyInterpreterFrame* f = PyThreadState_Get()->cframe->current_frame;
  bool valid() const { return f && f->f_code; }
  PyCodeObject* code() const { return f->f_code; }
  int offset() const { return _PyInterpreterFrame_LASTI(f) * static_cast<int>(sizeof(_Py_CODEUNIT)); }
  void up() { f = f->previous; }
};
#else
struct Frame {
  PyFrameObject* f = PyEval_GetFrame();
  bool valid() const { return f; }
  PyCodeObject* code() const {
    PyCodeObject* c = PyFrame_GetCode(f);
    Py_DECREF(c);  // the frame keeps it
    return c;
  }
  int offset() const { return PyFrame_GetLasti(f); }
  void up() {
    PyFrameObject* back = PyFrame_GetBack(f);
    Py_XDECREF(back);  // the running stack keeps it
    f = back;
  }
};
#endif

Origin now() {
  for (Frame frame; frame.valid(); frame.up()) {
    const uint32_t id = intern(frame.code());
    if (!id) return 0;
    if (!known_codes()[id].ours) return (static_cast<Origin>(id) << 32) | static_cast<uint32_t>(frame.offset());
  }
  return 0;
}

std::string text(Origin o) {
  const GilAcquire gil;
  const auto& codes = known_codes();
  const uint64_t id = o >> 32;
  if (id == 0 || id >= codes.size()) return "";
  PyCodeObject* code = codes[id].code;
  const int line = PyCode_Addr2Line(code, static_cast<int>(o & 0xffffffff));
  return str_cat(utf8(code->co_filename), ":", line, ", in ", utf8(code->co_name));
}

}  // namespace

void add_origin(py::module_& m) {
  origin_source = {now, text};
  m.def(
      "set_origin_tracking", [](bool mode) { origin_source.now = mode ? now : nullptr; }, py::arg("mode"),
      docs::set_origin_tracking);
}

}  // namespace gradcore
