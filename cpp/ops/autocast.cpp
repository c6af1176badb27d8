#include "ops/autocast.h"

#include <memory>
#include <vector>

#include "ops/ops.h"

namespace gradcore {

namespace {

struct Entry {
  Tensor from, to;  // kept, so that no other tensor has its address meanwhile
};
struct State {
  DType dtype = DType::BFloat16;
  bool caches = true;
  std::vector<Entry> cache;
};
// On the heap: a module that is loaded late has little room for thread-locals.
thread_local std::unique_ptr<State> own;
State& state() {
  if (!own) own = std::make_unique<State>();
  return *own;
}

}  // namespace

DType autocast_dtype() { return state().dtype; }
void set_autocast_dtype(DType dtype) { state().dtype = dtype; }
bool autocast_caches() { return state().caches; }
void set_autocast_caches(bool on) { state().caches = on; }
void clear_autocast_cache() { state().cache.clear(); }

Tensor autocast_cast(const Tensor& t, DType dtype) {
  const bool is_parameter = t.dtype() == DType::Float32 && requires_grad(t) && is_leaf(t);
  if (!is_parameter || !state().caches || dtype != state().dtype || !modes.grad) return cast(t, dtype);
  for (const Entry& e : state().cache)
    if (e.from.is_same(t)) return e.to;
  Tensor to = cast(t, dtype);
  state().cache.push_back({t, to});
  return to;
}

Tensor autocast_lowered(const Tensor& t) {
  const bool is_cast = t && is_floating(t.dtype()) && t.dtype() != DType::Float64;
  return is_cast ? autocast_cast(t, autocast_dtype()) : t;
}

}  // namespace gradcore
