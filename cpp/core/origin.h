// Where in the user's program something happened: kept with every node and every write, shown by errors.
//
// Note [Origin lines]
// An origin is a number: a code object of the program (interned, in the upper half) and the instruction in it. Taking
// one costs a few nanoseconds, for nothing is resolved; the file and the line are worked out when an error is shown.
// The layers below Python only carry the number. Who runs without the interpreter's lock, or on behalf of an older op
// (backward under create_graph), sets `inherited_origin`, which then stands for everything made in that thread.
#pragma once
#include <cstdint>
#include <string>

namespace gradcore {

using Origin = uint64_t;  // 0: unknown

struct OriginSource {
  Origin (*now)() = nullptr;  // null while tracking is off
  std::string (*text)(Origin) = nullptr;
};
inline constinit OriginSource origin_source;
inline thread_local constinit Origin inherited_origin = 0;

inline Origin current_origin() {
  if (inherited_origin) return inherited_origin;
  return origin_source.now ? origin_source.now() : 0;
}
// "file:line, in function", or nothing where it is unknown.
inline std::string origin_text(Origin o) { return o && origin_source.text ? origin_source.text(o) : std::string(); }

class InheritOrigin {
 public:
  explicit InheritOrigin(Origin o) : before_(inherited_origin) { inherited_origin = o; }
  ~InheritOrigin() { inherited_origin = before_; }
  InheritOrigin(const InheritOrigin&) = delete;

 private:
  Origin before_;
};

}  // namespace gradcore
