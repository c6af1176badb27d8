#include "core/error.h"

#include <cstdio>

namespace gradcore::detail {

void write_text(std::string& out, const void* text) { out += static_cast<const char*>(text); }
void write(std::string& out, std::string_view v) { out += v; }
void write(std::string& out, char v) { out += v; }
void write(std::string& out, bool v) { out += v ? "True" : "False"; }
void write(std::string& out, double v) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", v);
  out += buffer;
}
void write(std::string& out, int64_t v) { out += std::to_string(v); }
void write(std::string& out, uint64_t v) { out += std::to_string(v); }

std::string join(const Part* parts, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) parts[i].write(out, parts[i].object);
  return out;
}

void raise(ErrorKind kind, const Part* parts, int count) { throw Error(kind, join(parts, count)); }

}  // namespace gradcore::detail
