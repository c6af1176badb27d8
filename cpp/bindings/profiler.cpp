// The profiler: listens to op scopes and stands in the door. Start at Profiler.
//
// Each thread writes what it does into a log of its own, under a lock that nobody else wants before the profiler stops.
// What is written are spans that nest: ops, the launches inside of them, and the program's own ranges. Python makes
// tables and traces of them (gradcore/profiler).
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "bindings/define.h"
#include "core/op_scope.h"
#include "tensor/door.h"
#include "tensor/meta.h"

namespace gradcore {

namespace {

enum class SpanKind : uint8_t { Op, Launch, Range };
constexpr const char* kKindName[] = {"op", "launch", "user"};

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Span {
  const char* name;  // interned in the log
  SpanKind kind;
  int32_t parent;  // its place in the log; -1 for none
  int64_t begin, end = -1;
  Origin origin = 0;
  int64_t read = 0, written = 0;  // bytes, by launches directly inside
  std::vector<Dims> shapes;
};

// What one thread does. Outlives the thread; the profiler owns it.
struct Log {
  std::mutex busy;
  uint64_t session = 0;  // the profile that the spans belong to
  int64_t dropped = 0;   // spans for which there was no memory
  std::vector<Span> spans;
  std::vector<int32_t> open;  // of them, innermost last
  std::unordered_set<std::string> names;

  const char* intern(const char* name) { return names.emplace(name).first->c_str(); }

  void begin(const char* name, SpanKind kind, Origin origin) {
    const int32_t parent = open.empty() ? -1 : open.back();
    const char* kept = intern(name);
    spans.push_back({.name = kept, .kind = kind, .parent = parent, .begin = now_ns(), .origin = origin, .shapes = {}});
    open.push_back(static_cast<int32_t>(spans.size() - 1));
  }
  void end() {
    if (open.empty()) return;  // begun before the profile
    spans[static_cast<size_t>(open.back())].end = now_ns();
    open.pop_back();
  }
};
thread_local std::shared_ptr<Log> own;

class Profiler final : public OpListener, public Tenant {
 public:
  void start(bool shapes) {
    const std::lock_guard lock(busy_);
    check(!running_, "a profile is running already: there is one profiler for the process");
    running_ = true;
    shapes_ = shapes;
    ++session_;
    op_listener.store(this);
    set_tenant(this);
  }

  std::vector<std::shared_ptr<Log>> stop() {
    const std::lock_guard lock(busy_);
    check(running_, "no profile is running");
    op_listener.store(nullptr);
    set_tenant(resting_tenant());
    running_ = false;
    std::vector<std::shared_ptr<Log>> done;
    for (const auto& log : logs_) {
      const std::lock_guard hold(log->busy);
      if (log->session != session_) continue;
      auto taken = std::make_shared<Log>();
      taken->spans.swap(log->spans);
      taken->names.swap(log->names);
      std::swap(taken->dropped, log->dropped);
      const int64_t now = now_ns();
      for (const int32_t i : log->open) taken->spans[static_cast<size_t>(i)].end = now;
      log->open.clear();
      done.push_back(std::move(taken));
    }
    std::erase_if(logs_, [](const auto& log) { return log.use_count() == 1; });  // of threads that have ended
    return done;
  }

  void enter(const char* name, Origin origin) noexcept override { begin(name, SpanKind::Op, origin); }
  void input(const Dims& shape) noexcept override {
    if (!shapes_.load(std::memory_order_relaxed)) return;
    write([&](Log& log) {
      if (!log.open.empty()) log.spans[static_cast<size_t>(log.open.back())].shapes.push_back(shape);
    });
  }
  void leave() noexcept override {
    write([](Log& log) { log.end(); });
  }
  void begin(const char* name, SpanKind kind, Origin origin) noexcept {
    const Origin where = origin ? origin : current_origin();
    write([&](Log& log) { log.begin(name, kind, where); });
  }

  void launch(const AnyInstruction& instruction) override {
    struct End {
      Profiler* profiler;
      ~End() { profiler->leave(); }
    };
    begin(instruction.name(), SpanKind::Launch, inherited_origin ? inherited_origin : 1);
    const End end{this};
    int64_t read = 0, written = 0;
    instruction.touches([&](const Touch& t) { (t.written ? written : read) += t.bytes; });
    write([&](Log& log) {
      if (log.open.empty()) return;
      Span& span = log.spans[static_cast<size_t>(log.open.back())];
      span.read = read;
      span.written = written;
    });
    instruction.run();
  }

 private:
  // Calls f(log) with this thread's log, of this profile. What there is no memory for is counted and left out.
  template <class F> void write(F&& f) noexcept {
    Log* log = nullptr;
    try {
      log = own_log();
      const std::lock_guard lock(log->busy);
      const uint64_t session = session_.load(std::memory_order_relaxed);
      if (log->session != session) {
        log->session = session;
        log->spans.clear();
        log->open.clear();
        log->dropped = 0;
      }
      f(*log);
    } catch (...) {  // std::bad_alloc, or the allocator's own error
      if (log) ++log->dropped;
    }
  }

  Log* own_log() {
    if (!own) {
      auto made = std::make_shared<Log>();
      const std::lock_guard lock(busy_);
      logs_.push_back(made);
      own = std::move(made);
    }
    return own.get();
  }

  std::mutex busy_;
  bool running_ = false;
  std::atomic<bool> shapes_{false};
  std::atomic<uint64_t> session_{0};
  std::vector<std::shared_ptr<Log>> logs_;
};

// Never destroyed: a thread may be about to call it.
Profiler& profiler() {
  static auto* p = new Profiler;
  return *p;
}

py::list shapes_of(const Span& span) {
  py::list shapes;
  for (const Dims& shape : span.shapes) {
    py::list sizes;
    for (int i = 0; i < shape.size(); ++i) sizes.append(shape[i]);
    shapes.append(std::move(sizes));
  }
  return shapes;
}

// (thread, dropped, [(name, kind, parent, begin ns, end ns, line, bytes read, bytes written, shapes)])
py::list spans_of(const std::vector<std::shared_ptr<Log>>& logs) {
  py::list threads;
  for (const auto& log : logs) {
    py::list spans;
    for (const Span& s : log->spans) {
      const bool has_line = s.kind != SpanKind::Launch;  // that of the op around it
      spans.append(py::make_tuple(s.name, kKindName[static_cast<int>(s.kind)], s.parent, s.begin,
                                  s.end < 0 ? s.begin : s.end, has_line ? origin_text(s.origin) : std::string(), s.read,
                                  s.written, shapes_of(s)));
    }
    threads.append(py::make_tuple(log->dropped, std::move(spans)));
  }
  return threads;
}

}  // namespace

void add_profiler(py::module_& m) {
  m.def("_profiler_start", [](bool shapes) { profiler().start(shapes); }, py::arg("record_shapes"));
  m.def("_profiler_stop", [] { return spans_of(profiler().stop()); });
  m.def("_profiler_begin_range", [](const std::string& name) {
    if (op_listener.load()) profiler().begin(name.c_str(), SpanKind::Range, 0);
  });
  m.def("_profiler_end_range", [] {
    if (op_listener.load()) profiler().leave();
  });
}

}  // namespace gradcore
