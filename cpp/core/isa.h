// The instruction sets that kernels are compiled for, and which of them a processor has. It needs no other file, so
// that CMake can ask it about the machine that it builds on (cmake/newest_isa.cpp).
#pragma once

namespace gradcore {

enum class Isa : int { V2, V3, V4 };
constexpr int kIsaCount = 3;
constexpr const char* kIsaName[kIsaCount] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};

inline bool processor_has(Isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (isa) {
    case Isa::V2: return true;
    case Isa::V3:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case Isa::V4:
      return processor_has(Isa::V3) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
  }
#endif
  return isa == Isa::V2;  // the baseline of another machine keeps the name
}

}  // namespace gradcore
