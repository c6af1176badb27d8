#include "core/cpu.h"

#include <cstdlib>
#include <string_view>

#include "core/error.h"

namespace gradcore {

// CMake defines what it compiles kernels for.
static bool is_compiled(Isa isa) {
  switch (isa) {
#ifdef GC_HAS_V2
    case Isa::V2: return true;
#endif
#ifdef GC_HAS_V3
    case Isa::V3: return true;
#endif
#ifdef GC_HAS_V4
    case Isa::V4: return true;
#endif
    default: return false;
  }
}

bool isa_available(Isa isa) { return is_compiled(isa) && processor_has(isa); }

static Isa asked_for(const char* asked) {
  std::string_view name = asked;
  if (name.starts_with("x86-64-")) name.remove_prefix(7);
  for (int i = 0; i < kIsaCount; ++i) {
    if (name != std::string_view(kIsaName[i]).substr(7)) continue;
    const Isa isa = static_cast<Isa>(i);
    check(processor_has(isa), "GRADCORE_ISA=", asked, " asks for instructions this machine lacks");
    check(is_compiled(isa), "GRADCORE_ISA=", asked,
          " asks for kernels that this build does not have: install it with "
          "--config-settings=cmake.define.GRADCORE_ISAS=all");
    return isa;
  }
  fail("GRADCORE_ISA must be v2, v3 or v4, not ", asked);
}

static Isa choose() {
  const char* asked = std::getenv("GRADCORE_ISA");
  if (asked && *asked) return asked_for(asked);
  for (const Isa isa : {Isa::V4, Isa::V3, Isa::V2})
    if (isa_available(isa)) return isa;
  fail("this gradcore was compiled for newer processors, with AVX2: install it anew on this machine");
}

Isa active_isa() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace gradcore
