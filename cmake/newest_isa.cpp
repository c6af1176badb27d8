// Run by CMake: its exit code is the number of this machine's newest instruction set.
#include "core/isa.h"

int main() {
  using namespace gradcore;
  if (processor_has(Isa::V4)) return 4;
  return processor_has(Isa::V3) ? 3 : 2;
}
