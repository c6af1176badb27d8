// Which threading layer parallel loops (core/parallel.h) take their threads from.
#pragma once
#include <string>
#include <string_view>

namespace gradcore {

// The layer in use, or the one that the first parallel loop will take: "openmp" or "team".
const char* threading_layer();
// Chooses the layer by its name. Raises where there is none of that name, and after the first parallel loop.
void set_threading_layer(std::string_view name);
// Why "openmp" cannot be had; empty where it can.
std::string openmp_missing();

}  // namespace gradcore
