// Chooses the kernel table of this process. CMake defines what it compiles kernels for.
#include "core/cpu.h"
#include "core/error.h"
#include "kernels/table.h"

namespace gradcore {

#ifdef GC_HAS_V2
namespace isa_v2 {
const KernelTable& table();
}
#endif
#ifdef GC_HAS_V3
namespace isa_v3 {
const KernelTable& table();
}
#endif
#ifdef GC_HAS_V4
namespace isa_v4 {
const KernelTable& table();
}
#endif

static const KernelTable& choose() {
  switch (active_isa()) {
#ifdef GC_HAS_V2
    case Isa::V2: return isa_v2::table();
#endif
#ifdef GC_HAS_V3
    case Isa::V3: return isa_v3::table();
#endif
#ifdef GC_HAS_V4
    case Isa::V4: return isa_v4::table();
#endif
    default: fail("no kernels were compiled for the instruction set that was chosen");
  }
}

const KernelTable& kernels() {
  static const KernelTable& table = choose();
  return table;
}

}  // namespace gradcore
