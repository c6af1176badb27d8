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

// Note [Codes of origins]
// A code object gets a place in known_codes() when it first records something, and leaves it when it dies: Python tells
// us, by the extra that every code object has room for. The last kKept of them are kept alive, so that errors can name
// the line of a notebook's cell, whose code dies when it has run. A program that makes code without end has no more
// than these. The upper half of an origin is the number of the place and how often it was given away before: an origin
// of a code that is gone is unknown.
constexpr uint32_t kPlaceBits = 20, kPlaces = 1u << kPlaceBits, kPlaceMask = kPlaces - 1;
constexpr size_t kKept = 4096;
constexpr size_t kRecent = 256;

struct KnownCode {
  PyCodeObject* code = nullptr;  // null: free
  uint32_t tag = 0;              // its number, and above it how often it was given away
  uint32_t next_free = 0;        // 0: none
  bool ours = false;             // a file of this package: the line that matters is its caller's
};

struct KnownCodes {
  std::vector<KnownCode> places{1};
  std::unordered_map<PyCodeObject*, uint32_t> tags;
  uint32_t first_free = 0, last_free = 0;  // in the order in which they became free
  PyCodeObject* kept[kKept] = {};
  size_t next_kept = 0;
  Py_ssize_t extra = -1;  // the index of our extra
};
KnownCodes& known_codes() {
  static auto* codes = new KnownCodes;
  return *codes;
}

struct Recent {
  PyCodeObject* code;
  uint32_t tag;
};
Recent recent_codes[kRecent];
Recent& recent_place(PyCodeObject* code) { return recent_codes[(reinterpret_cast<uintptr_t>(code) >> 6) % kRecent]; }

// Of a code object that dies. It allocates nothing.
void forget(void* extra) {
  KnownCodes& known = known_codes();
  const uint32_t place = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(extra));
  KnownCode& k = known.places[place];
  if (Recent& slot = recent_place(k.code); slot.code == k.code) slot = {};
  known.tags.erase(k.code);
  k.code = nullptr;
  k.tag += kPlaces;
  k.next_free = 0;
  (known.last_free ? known.places[known.last_free].next_free : known.first_free) = place;
  known.last_free = place;
}

bool tell_when_it_dies(PyCodeObject* code, uint32_t place) {
  KnownCodes& known = known_codes();
  void* const extra = reinterpret_cast<void*>(static_cast<uintptr_t>(place));
#if PY_VERSION_HEX < 0x030C0000
  if (known.extra < 0) known.extra = _PyEval_RequestCodeExtraIndex(forget);
  const bool told = known.extra >= 0 && _PyCode_SetExtra(reinterpret_cast<PyObject*>(code), known.extra, extra) == 0;
#else
  if (known.extra < 0) known.extra = PyUnstable_Eval_RequestCodeExtraIndex(forget);
  const bool told =
      known.extra >= 0 && PyUnstable_Code_SetExtra(reinterpret_cast<PyObject*>(code), known.extra, extra) == 0;
#endif
  if (!told) PyErr_Clear();
  return told;
}

// The number of a free place; 0 where there is none.
uint32_t take_place() {
  KnownCodes& known = known_codes();
  if (const uint32_t place = known.first_free) {
    known.first_free = known.places[place].next_free;
    if (!known.first_free) known.last_free = 0;
    return place;
  }
  if (known.places.size() >= kPlaces) return 0;
  known.places.push_back({.tag = static_cast<uint32_t>(known.places.size())});
  return known.places.back().tag;
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

// In the place of the oldest one that is kept. That may have constants of any kind, whose end runs Python code, and we
// are in the middle of an op: the interpreter lets go of it between two instructions. Where it has no room for another
// such errand, the new one is not kept.
void keep_alive(PyCodeObject* code) {
  KnownCodes& known = known_codes();
  PyCodeObject*& slot = known.kept[known.next_kept];
  const auto let_go = [](void* gone) {
    Py_DECREF(static_cast<PyObject*>(gone));
    return 0;
  };
  if (slot && Py_AddPendingCall(let_go, slot) != 0) return;
  slot = reinterpret_cast<PyCodeObject*>(Py_NewRef(code));
  known.next_kept = (known.next_kept + 1) % kKept;
}

// A place for a code object that has none; 0 when there is no room.
[[gnu::noinline]] uint32_t enter(PyCodeObject* code) {
  KnownCodes& known = known_codes();
  const bool ours = is_ours(code);
  const uint32_t place = take_place();
  if (!place) return 0;
  const uint32_t tag = known.places[place].tag;
  known.tags.emplace(code, tag);
  known.places[place].code = code;
  known.places[place].ours = ours;
  if (!tell_when_it_dies(code, place)) {
    forget(reinterpret_cast<void*>(static_cast<uintptr_t>(place)));
    return 0;
  }
  keep_alive(code);
  return tag;
}

// The tag of a code object in known_codes(); 0 when there is no room.
uint32_t intern(PyCodeObject* code) {
  Recent& slot = recent_place(code);
  if (slot.code == code) [[likely]]
    return slot.tag;
  const auto found = known_codes().tags.find(code);
  const uint32_t tag = found == known_codes().tags.end() ? enter(code) : found->second;
  if (tag) slot = {code, tag};
  return tag;
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
    const uint32_t tag = intern(frame.code());
    if (!tag) return 0;
    if (!known_codes().places[tag & kPlaceMask].ours)
      return (static_cast<Origin>(tag) << 32) | static_cast<uint32_t>(frame.offset());
  }
  return 0;
}

std::string text(Origin o) {
  const GilAcquire gil;
  const auto& places = known_codes().places;
  const uint32_t tag = static_cast<uint32_t>(o >> 32), place = tag & kPlaceMask;
  if (place == 0 || place >= places.size() || places[place].tag != tag || !places[place].code) return "";
  const Owned keep(Py_NewRef(places[place].code));
  auto* code = reinterpret_cast<PyCodeObject*>(keep.get());
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
