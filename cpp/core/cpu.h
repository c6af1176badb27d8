// Which instruction sets this machine has, and which one was chosen.
#pragma once

namespace gradcore {

enum class Isa : int { V2, V3, V4 };
constexpr int kIsaCount = 3;
constexpr const char* kIsaName[kIsaCount] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};

bool isa_available(Isa isa);
// GRADCORE_ISA (v2, v3, v4) if set, else the best the machine has; an unknown or missing one is an error. Decided once.
Isa active_isa();

}  // namespace gradcore
