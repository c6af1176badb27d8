#include "core/cpu.h"

#include <cstdlib>
#include <string_view>

#include "core/error.h"

namespace gradcore {

bool isa_available(Isa isa) {
#if defined(__x86_64__) && !defined(GC_BASELINE_ONLY)
  __builtin_cpu_init();
  switch (isa) {
    case Isa::V2: return true;
    case Isa::V3:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case Isa::V4:
      return isa_available(Isa::V3) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
  }
#endif
  return isa == Isa::V2;  // elsewhere the baseline is all there is
}

static Isa choose() {
  const char* asked = std::getenv("GRADCORE_ISA");
  if (asked && *asked) {
    std::string_view name = asked;
    if (name.starts_with("x86-64-")) name.remove_prefix(7);
    for (int i = 0; i < kIsaCount; ++i) {
      if (name != std::string_view(kIsaName[i]).substr(7)) continue;
      check(isa_available(static_cast<Isa>(i)), "GRADCORE_ISA=", asked, " asks for instructions this machine lacks");
      return static_cast<Isa>(i);
    }
    fail("GRADCORE_ISA must be v2, v3 or v4, not ", asked);
  }
  if (isa_available(Isa::V4)) return Isa::V4;
  return isa_available(Isa::V3) ? Isa::V3 : Isa::V2;
}

Isa active_isa() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace gradcore
