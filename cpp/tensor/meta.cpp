#include "tensor/meta.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/error.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

// Runs what it sees. While meta tensors may exist, somebody has to stand in the door.
class Passing final : public Tenant {
 public:
  void launch(const AnyInstruction& instruction) override { instruction.run(); }
};
Passing passing;

// Pieces of memory, by their first byte, with their ends. They are not destroyed: tensors outlive static objects.
std::mutex& busy() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}
std::map<uintptr_t, uintptr_t>& pieces() {
  static auto* const all = new std::map<uintptr_t, uintptr_t>;
  return *all;
}

// Scopes and contexts in which meta tensors are made. They, and all of the table, are behind busy().
int asking = 0;

void start() {
  const std::lock_guard lock(busy());
  ++asking;
  meta::used = true;
  Tenant* nobody = nullptr;
  the_tenant.compare_exchange_strong(nobody, &passing);
}
// With the last meta tensor the door is free again. The caller holds busy().
void rest() {
  if (asking || !pieces().empty()) return;
  meta::used = false;
  Tenant* last = &passing;
  the_tenant.compare_exchange_strong(last, nullptr);
}
void stop() {
  const std::lock_guard lock(busy());
  --asking;
  rest();
}

thread_local std::unique_ptr<std::vector<bool>> entered;  // how the defaults stood, where there were any
thread_local bool making = false;
std::atomic<bool> outermost{false};

}  // namespace

Tenant* resting_tenant() { return meta::used ? &passing : nullptr; }

namespace meta {

bool covers(uintptr_t address) {
  const std::lock_guard lock(busy());
  auto next = pieces().upper_bound(address);
  return next != pieces().begin() && address < std::prev(next)->second;
}

void add(uintptr_t first, int64_t bytes) {
  const uintptr_t end = first + std::max<uintptr_t>(static_cast<uintptr_t>(bytes), 1);
  const std::lock_guard lock(busy());
  auto next = pieces().upper_bound(first);
  if (next != pieces().begin() && end <= std::prev(next)->second) return;
  pieces().erase(pieces().lower_bound(first), pieces().lower_bound(end));
  pieces()[first] = end;
}

void forget(uintptr_t first, int64_t bytes) noexcept {
  const std::lock_guard lock(busy());
  pieces().erase(pieces().lower_bound(first),
                 pieces().lower_bound(first + std::max<uintptr_t>(static_cast<uintptr_t>(bytes), 1)));
  rest();
}

bool skips(const AnyInstruction& instruction) {
  std::vector<Touch> touches;
  instruction.touches([&](const Touch& t) { touches.push_back(t); });
  bool any = false;
  for (const Touch& t : touches) any = any || covers(t.first);
  if (!any) return false;
  for (const Touch& to : touches) {
    if (!to.written || to.first == 0 || covers(to.first)) continue;
    for (const Touch& from : touches)
      check(from.written || from.first != to.first,
            "Expected all tensors to be on the same device, but found at least two devices, cpu and meta!");
  }
  for (const Touch& to : touches)
    if (to.written && to.first != 0) add(to.first, to.extent);
  return true;
}

Scope::Scope(bool on) : before_(making) {
  if (on) start();
  making = on;
}
Scope::~Scope() {
  if (std::exchange(making, before_)) stop();
}
bool is_making() { return making; }

void enter(bool on) {
  if (!entered) entered = std::make_unique<std::vector<bool>>();
  entered->push_back(on);
  if (on) start();
}
void leave() noexcept {
  if (!entered || entered->empty()) return;
  const bool was_on = entered->back();
  entered->pop_back();
  if (was_on) stop();
}
bool is_default() { return !entered || entered->empty() ? outermost.load() : entered->back(); }
void set_default(bool on) {
  if (on == outermost.exchange(on)) return;
  on ? start() : stop();
}

}  // namespace meta

void check_has_values(const Tensor& from) {
  check(!is_meta(from), ErrorKind::NotImplemented, "Cannot copy out of meta tensor; no data!");
}

}  // namespace gradcore
