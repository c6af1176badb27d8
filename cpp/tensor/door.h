// The door to tensors' memory. Start at launch().
//
// Note [The door]
// Whatever reads or writes the elements of tensors leaves through launch(), as an instruction: a small struct that owns
// its numbers and can be copied byte by byte. So a tenant that stands in the door sees all that a program does to
// memory: the profiler measures it, a recorder can keep it and run it again. Three rules make that hold:
//
//   t.window()   goes into instructions, which alone can open it: TensorImpl's pointer is private.
//   t.host<T>()  gives memory to C++ that decides by values or hands them on. It tells the tenant, who may have to run
//                what is pending first. It is never wrong, and never on the path of an op that only computes.
//   t.address()  says where a tensor lies, for comparing.
//
// Views are geometry, and no instruction. A new op that touches memory uses one of these:
//
//   Kernel<Args>    a kernel with its plain arguments, which are set from windows:
//                     Kernel<RowArgs> k("softmax", kernels().row[...][...]);
//                     k.args.n = n;
//                     k.reads(&RowArgs::in, a.window()).writes(&RowArgs::out, out.window());
//                     launch(k);
//   Loop            an elementwise loop, flat or planned (loop.h)
//   CopyBytes, ZeroBytes
//   launch_host()   the rest: a closure with the list of its windows
//
// Without a tenant launch() costs one load and one branch that is predicted.
#pragma once
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include "tensor/tensor.h"

namespace gradcore {

// A piece of memory that an instruction touches.
struct Touch {
  uintptr_t first;  // its first byte
  int64_t extent;   // bytes from there on that may be touched
  int64_t bytes;    // bytes that are: the elements, a repeated one once
  bool written;
};

// What all instructions derive from: who may open windows.
class Instruction {
 protected:
  [[gnu::always_inline]] static char* open(Window w) { return static_cast<char*>(w.t_->data_); }
  static Touch touch_of(Window w, bool written);
};

// An instruction of any kind, as a tenant sees it.
class AnyInstruction {
 public:
  using Visit = void (*)(void* context, const Touch&);
  template <class I> explicit AnyInstruction(I& i) : type_(type_of<I>), self_(&i) {}

  const char* name() const { return type_.name(self_); }
  size_t size() const { return type_.size; }         // of its bytes, 0 where it does not own all that it needs
  bool fails() const { return type_.fails(self_); }  // whether it may raise
  void run() const { type_.run(self_); }
  template <class F> void touches(F&& f) const {
    type_.touches(
        self_, [](void* context, const Touch& t) { (*static_cast<std::remove_reference_t<F>*>(context))(t); }, &f);
  }

 private:
  struct Type {
    size_t size;
    bool (*fails)(const void*);
    const char* (*name)(const void*);
    void (*run)(void*);
    void (*touches)(const void*, Visit, void* context);
  };
  template <class I>
  static constexpr Type type_of{
      I::kOwnsAll ? sizeof(I) : 0, [](const void* i) { return static_cast<const I*>(i)->fails(); },
      [](const void* i) { return static_cast<const I*>(i)->name(); }, [](void* i) { static_cast<I*>(i)->run(); },
      [](const void* i, Visit visit, void* context) {
        static_cast<const I*>(i)->touches([&](const Touch& t) { visit(context, t); });
      }};

  const Type& type_;
  void* self_;
};

// Who stands in the door. It sees every launch of every thread, and has to run it, sooner or later.
class Tenant {
 public:
  virtual void launch(const AnyInstruction& instruction) = 0;
  virtual void look(const Tensor&) {}

 protected:
  ~Tenant() = default;
};
// It must outlive every thread that may have seen it.
inline void set_tenant(Tenant* t) { the_tenant.store(t); }

[[gnu::cold, gnu::noinline]] void launch_watched(const AnyInstruction& instruction);

template <class I> [[gnu::always_inline]] inline void launch(I&& i) {
  using Kind = std::remove_cvref_t<I>;
  static_assert(std::is_base_of_v<Instruction, Kind>);
  static_assert(std::is_trivially_copyable_v<Kind> || !Kind::kOwnsAll);
  if (the_tenant.load(std::memory_order_relaxed)) [[unlikely]]
    return launch_watched(AnyInstruction(i));
  i.run();
}

// A kernel with its plain arguments.
template <class Args> class Kernel final : public Instruction {
 public:
  static constexpr bool kOwnsAll = true;
  using Fn = void (*)(const Args&);

  Kernel(const char* name, Fn fn) : args(), fn_(fn), name_(name) {
    check_exists();
  }  // large args bring a constructor: no zeros then
  Kernel(const char* name, Fn fn, const Args& a) : args(a), fn_(fn), name_(name) { check_exists(); }
  // Points an argument at a window's first element, or `shift` elements further on.
  template <class P> Kernel& reads(P Args::* argument, Window w, int64_t shift = 0) {
    return add(argument, w, shift, false);
  }
  template <class P> Kernel& writes(P Args::* argument, Window w, int64_t shift = 0) {
    return add(argument, w, shift, true);
  }
  Kernel& may_raise() {
    raises_ = true;
    return *this;
  }

  const char* name() const { return name_; }
  bool fails() const { return raises_; }
  void run() const { fn_(args); }
  template <class F> void touches(F&& f) const {
    for (int i = 0; i < count_; ++i) f(touch_of(windows_[i], written_ >> i & 1));
  }

  Args args;  // reads() and writes() set the pointers

 private:
  static constexpr int kMost = 6;
  // A row of kernels may have none for a dtype.
  void check_exists() const {
    if (!fn_) [[unlikely]]
      fail(ErrorKind::NotImplemented, "\"", name_, "\" is not implemented for this dtype");
  }
  template <class P> Kernel& add(P Args::* argument, Window w, int64_t shift, bool written) {
    args.*argument = reinterpret_cast<P>(open(w) + shift * item_size(w.dtype()));
    written_ |= unsigned{written} << count_;
    windows_[count_++] = w;
    return *this;
  }

  Fn fn_;
  const char* name_;
  bool raises_ = false;
  unsigned written_ = 0;
  int count_ = 0;
  Window windows_[kMost];
};

// Bytes of one dense window into another of the same size. They do not overlap.
class CopyBytes final : public Instruction {
 public:
  static constexpr bool kOwnsAll = true;
  CopyBytes(Window to, Window from) : to_(open(to)), from_(open(from)), bytes_(to.numel() * item_size(to.dtype())) {}
  const char* name() const { return "copy_bytes"; }
  bool fails() const { return false; }
  void run() const;
  template <class F> void touches(F&& f) const {
    f(Touch{reinterpret_cast<uintptr_t>(from_), bytes_, bytes_, false});
    f(Touch{reinterpret_cast<uintptr_t>(to_), bytes_, bytes_, true});
  }

 private:
  char* to_;
  const char* from_;
  int64_t bytes_;
};

// Zeros in a dense window.
class ZeroBytes final : public Instruction {
 public:
  static constexpr bool kOwnsAll = true;
  explicit ZeroBytes(Window w) : to_(open(w)), bytes_(w.numel() * item_size(w.dtype())) {}
  // In all of the storage that `w` begins, batch dims and holes included.
  static ZeroBytes storage_of(Window w) {
    ZeroBytes all(w);
    all.bytes_ = w.storage()->bytes;
    return all;
  }
  const char* name() const { return "zero_bytes"; }
  bool fails() const { return false; }
  void run() const;
  template <class F> void touches(F&& f) const { f(Touch{reinterpret_cast<uintptr_t>(to_), bytes_, bytes_, true}); }

 private:
  char* to_;
  int64_t bytes_;
};

// What launch_host()'s closure opens windows with.
class Opener : private Instruction {
 public:
  template <class T = char> T* operator()(const Tensor& t) const { return reinterpret_cast<T*>(open(t.window())); }
};
struct Access {
  Window window;
  bool written;
};
inline Access reads(const Tensor& t) { return {t.window(), false}; }
inline Access writes(const Tensor& t) { return {t.window(), true}; }

template <class F> class Host final : public Instruction {
 public:
  static constexpr bool kOwnsAll = false;
  Host(const char* name, std::span<const Access> windows, F& f) : name_(name), windows_(windows), f_(f) {}
  const char* name() const { return name_; }
  bool fails() const { return true; }
  void run() const { f_(Opener()); }
  template <class Visit> void touches(Visit&& visit) const {
    for (const Access& a : windows_) visit(touch_of(a.window, a.written));
  }

 private:
  const char* name_;
  std::span<const Access> windows_;
  F& f_;
};

// Runs f(opener) as an instruction. It may raise. `windows` names all that it touches.
template <class F> void launch_host(const char* name, std::span<const Access> windows, F&& f) {
  launch(Host<std::remove_reference_t<F>>(name, windows, f));
}
template <class F> void launch_host(const char* name, std::initializer_list<Access> windows, F&& f) {
  launch_host(name, std::span<const Access>(windows.begin(), windows.size()), std::forward<F>(f));
}

}  // namespace gradcore
