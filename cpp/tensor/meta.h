// Tensors on the device "meta": they have a shape, strides and a dtype, and no values. Start at Note [Meta tensors].
//
// Note [Meta tensors]
// A meta tensor has memory like any other one, but nothing reads or writes it: no page of a large one is ever touched.
// The door (door.h) skips each instruction that touches meta memory, and what it would have written is meta from then
// on. So every operation knows them without a line of its own, and costs nothing more while there are none. Where a
// tensor has no elements no instruction may come to the door: what an op makes from meta tensors is meta in any case
// (Call::invoke_near_meta). Whoever asks for values (host(), that is item(), printing, NumPy) is refused.
#pragma once
#include <atomic>

#include "tensor/tensor.h"

namespace gradcore {

class AnyInstruction;
class Tenant;

// Who stands in the door when nobody else does: while there may be meta tensors, one that runs what it sees.
Tenant* resting_tenant();

namespace meta {

// Whether there may be meta tensors: some are alive, or the program is in a context that makes them.
inline constinit std::atomic<bool> used{false};

bool covers(uintptr_t address);
// Notes memory as meta; forgets it when it is given back.
void add(uintptr_t first, int64_t bytes);
void forget(uintptr_t first, int64_t bytes) noexcept;
// Whether an instruction touches meta memory, and so must not run; notes what it would have written. Raises where it
// would write into a tensor that has values.
bool skips(const AnyInstruction& instruction);

// Storages made while one of these lives are meta, or are not.
class Scope {
 public:
  explicit Scope(bool on);
  ~Scope();
  Scope(const Scope&) = delete;

 private:
  bool before_;
};
bool is_making();

// What factories make that are not told where: `with torch.device("meta")`. Each enter() has its leave().
void enter(bool on);
void leave() noexcept;
bool is_default();
void set_default(bool on);  // outside of all of them

}  // namespace meta

// One without elements may begin where its memory ends.
inline bool is_meta(const Tensor& t) {
  if (!meta::used.load(std::memory_order_relaxed)) return false;
  return meta::covers(t.numel() > 0 ? t.address() : t->storage->address());
}
// A tensor's values go to one that has some.
void check_has_values(const Tensor& from);

}  // namespace gradcore
