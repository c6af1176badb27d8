// autocast's switches, for gradcore.amp. What they do is said in casting.h.
#include "ops/autocast.h"

#include "bindings/define.h"

namespace gradcore {

void add_autocast(py::module_& m) {
  m.def("_autocast_enabled", [] { return modes.autocast; }, "Whether ops cast their arguments on this thread.");
  m.def("_set_autocast_enabled", [](bool on) { modes.autocast = on; }, py::arg("enabled"), "Sets it.");
  m.def(
      "_autocast_dtype", [] { return py::handle(dtype_objects[index_of(autocast_dtype())]); },
      "The dtype that ops cast to where that is faster.");
  m.def(
      "_set_autocast_dtype",
      [](py::handle dtype) {
        const auto t = to_dtype(dtype.ptr());
        check(t && is_floating(*t), ErrorKind::Type, "autocast casts to floating dtypes alone");
        set_autocast_dtype(*t);
      },
      py::arg("dtype"), "Sets it.");
  m.def("_autocast_caches", [] { return autocast_caches(); }, "Whether the casts of parameters are kept.");
  m.def("_set_autocast_caches", [](bool on) { set_autocast_caches(on); }, py::arg("enabled"), "Sets it.");
  m.def("_clear_autocast_cache", [] { clear_autocast_cache(); }, "Forgets them.");
}

}  // namespace gradcore
