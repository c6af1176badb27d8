// Chooses the kernel table of this process.
#include "core/cpu.h"
#include "kernels/table.h"

namespace gradcore {

namespace isa_v2 {
const KernelTable& table();
}
#ifndef GC_BASELINE_ONLY
namespace isa_v3 {
const KernelTable& table();
}
namespace isa_v4 {
const KernelTable& table();
}
#endif

static const KernelTable& choose() {
#ifndef GC_BASELINE_ONLY
  if (active_isa() == Isa::V4) return isa_v4::table();
  if (active_isa() == Isa::V3) return isa_v3::table();
#endif
  return isa_v2::table();
}

const KernelTable& kernels() {
  static const KernelTable& table = choose();
  return table;
}

}  // namespace gradcore
