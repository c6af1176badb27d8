// Warnings that ops give to the program. Start at warn().
#pragma once
#include <atomic>
#include <string>

#include "core/error.h"

namespace gradcore {

// Set by the layer that knows Python, which shows the program's line. It raises where warnings are errors, and runs
// Python code: who warns looks at tensors afterwards.
using ShowWarning = void (*)(const std::string& text);
inline constinit ShowWarning show_warning = nullptr;

template <class... Parts> [[gnu::cold]] void warn(const Parts&... parts) {
  if (show_warning) show_warning(str_cat(parts...));
}
// Whether a warning that is said once in a process is due; the program can ask for all of them: set_warn_always().
inline constinit std::atomic<bool> warn_always = false;
inline bool warning_is_due(std::atomic<bool>& warned) { return !warned.exchange(true) || warn_always; }
inline void warn_once(std::atomic<bool>& warned, const char* text) {
  if (warning_is_due(warned)) warn(text);
}

}  // namespace gradcore
