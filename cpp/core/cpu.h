// Which instruction sets this build has kernels for and this machine can run, and which one was chosen.
#pragma once
#include "core/isa.h"

namespace gradcore {

bool isa_available(Isa isa);
// GRADCORE_ISA (v2, v3, v4) if set, else the best there is; an unknown or missing one is an error. Decided once.
Isa active_isa();

}  // namespace gradcore
