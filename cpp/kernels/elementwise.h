// How a formula becomes a loop. Start at make_kernels().
//
// Note [The same bits at every position]
// A formula that calls a transcendental function gives slightly different bits in a vector register than in a scalar
// one. So its body only ever runs on multiples of kWidth elements, where the compiler's vector loop has no scalar tail;
// a shorter rest is padded into a local buffer first. Formulas of plain arithmetic round the same either way and need
// no padding.
#pragma once
#include <utility>

#include "core/loop.h"
#include "formulas/traits.h"
#include "kernels/lane_ops.h"

namespace gradcore::GC_ISA {

using formulas::Uses;

constexpr int64_t kWidth = 16;   // elements; a multiple of every vector's lanes
constexpr int64_t kBlock = 256;  // elements gathered at a time when an operand is not dense

template <bool B, class T, class F> struct SelectType {
  using type = T;
};
template <class T, class F> struct SelectType<false, T, F> {
  using type = F;
};

template <class T> struct StoredAs {
  using type = T;
};
template <> struct StoredAs<bool> {
  using type = uint8_t;  // memory may hold any byte: never read it as bool
};
template <class T> using Stored = typename StoredAs<T>::type;

template <class T> GC_INLINE Lane<T> load(const Stored<T>* p) {
  if constexpr (__is_same(T, bool))
    return {*p != 0};
  else
    return {*p};
}

// What the walk over rows and blocks needs to know of a formula; everything else is shared by all of them.
struct LoopSpec {
  // n dense elements.
  void (*dense)(void* out, const void* const* in, int64_t n, const void* params);
  int inputs;
  uint8_t item[kMaxOperands];  // sizes, the output's first
};

template <class T> static void gather_items(void* buffer, const char* p, int64_t stride, int64_t n) {
  T* to = static_cast<T*>(buffer);
  if (stride == 0) {
    const T v = *reinterpret_cast<const T*>(p);
    for (int64_t i = 0; i < n; ++i) to[i] = v;
    return;
  }
  for (int64_t i = 0; i < n; ++i) to[i] = *reinterpret_cast<const T*>(p + i * stride);
}
// One operand's next `n` elements as dense memory.
static inline const void* gather(void* buffer, const char* p, int64_t stride, int64_t n, int item) {
  if (stride == item) return p;
  switch (item) {
    case 1: gather_items<uint8_t>(buffer, p, stride, n); break;
    case 2: gather_items<uint16_t>(buffer, p, stride, n); break;
    case 4: gather_items<uint32_t>(buffer, p, stride, n); break;
    default: gather_items<uint64_t>(buffer, p, stride, n); break;
  }
  return buffer;
}
template <class T> static void scatter_items(char* p, int64_t stride, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) *reinterpret_cast<T*>(p + i * stride) = static_cast<const T*>(from)[i];
}
static inline void scatter(char* p, int64_t stride, const void* from, int64_t n, int item) {
  switch (item) {
    case 1: return scatter_items<uint8_t>(p, stride, from, n);
    case 2: return scatter_items<uint16_t>(p, stride, from, n);
    case 4: return scatter_items<uint32_t>(p, stride, from, n);
    default: return scatter_items<uint64_t>(p, stride, from, n);
  }
}

// A row in which some operand is not dense: through buffers, a block at a time.
static __attribute__((noinline)) void run_row_in_blocks(const LoopSpec& spec, char* const* ptr, const LoopArgs& a) {
  alignas(64) char buffer[kMaxOperands][kBlock * 8];
  const bool dense_out = a.inner[0] == spec.item[0];
  const void* in[kMaxOperands];
  for (int64_t i = 0; i < a.n; i += kBlock) {
    const int64_t n = a.n - i < kBlock ? a.n - i : kBlock;
    for (int k = 1; k <= spec.inputs; ++k) {
      if (i && a.inner[k] == 0) continue;  // a repeated element is spread once, in the first block
      in[k - 1] = gather(buffer[k], ptr[k] + i * a.inner[k], a.inner[k], n, spec.item[k]);
    }
    char* out = ptr[0] + i * a.inner[0];
    spec.dense(dense_out ? out : buffer[0], in, n, a.params);
    if (!dense_out) scatter(out, a.inner[0], buffer[0], n, spec.item[0]);
  }
}

static __attribute__((noinline)) void run_loop(const LoopSpec& spec, const LoopArgs& a) {
  bool all_dense = true;
  for (int k = 0; k <= spec.inputs; ++k) all_dense &= a.inner[k] == spec.item[k];
  char* ptr[kMaxOperands];
  for (int64_t j = 0; j < a.m; ++j) {
    for (int k = 0; k <= spec.inputs; ++k) ptr[k] = a.ptr[k] + j * a.outer[k];
    if (all_dense)
      spec.dense(ptr[0], reinterpret_cast<const void* const*>(ptr + 1), a.n, a.params);
    else
      run_row_in_blocks(spec, ptr, a);
  }
}

// F: { static constexpr bool kPad; Params; load(); template <class... L> static auto apply(const Params&, L... lanes) }
template <class F, class R, class... In>
__attribute__((noinline)) void body(Stored<R>* out, const typename F::Params& params, int64_t n,
                                    const Stored<In>*... in) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<Stored<R>>(value_of(F::apply(params, load<In>(in + i)...)));
}

template <class F, class R, class... In> struct Loop {
  static constexpr int kInputs = sizeof...(In);

  template <int... K>
  static __attribute__((always_inline)) void dense_(Stored<R>* out, const void* const* in, int64_t n, const void* p,
                                                    std::integer_sequence<int, K...>) {
    const typename F::Params params = F::load(p);
    if constexpr (!F::kPad) {
      body<F, R, In...>(out, params, n, static_cast<const Stored<In>*>(in[K])...);
      return;
    }
    const int64_t whole = n / kWidth * kWidth;
    if (whole) body<F, R, In...>(out, params, whole, static_cast<const Stored<In>*>(in[K])...);
    if (whole == n) return;
    alignas(64) char pad[kInputs][kWidth * 8];
    alignas(64) Stored<R> result[kWidth];
    const int64_t rest = n - whole;
    (fill_pad(pad[K], static_cast<const Stored<In>*>(in[K]) + whole, rest), ...);
    body<F, R, In...>(result, params, kWidth, reinterpret_cast<const Stored<In>*>(pad[K])...);
    __builtin_memcpy(out + whole, result, rest * sizeof(R));
  }
  template <class T> static __attribute__((always_inline)) void fill_pad(char* pad, const T* from, int64_t n) {
    T* to = reinterpret_cast<T*>(pad);
    for (int64_t i = 0; i < kWidth; ++i) to[i] = from[0];
    __builtin_memcpy(to, from, n * sizeof(T));
  }
  static __attribute__((noinline)) void dense(void* out, const void* const* in, int64_t n, const void* p) {
    dense_(static_cast<Stored<R>*>(out), in, n, p, std::make_integer_sequence<int, kInputs>{});
  }
  static constexpr LoopSpec kSpec{dense, kInputs, {sizeof(R), sizeof(In)...}};
  static void run(const LoopArgs& a) {
    bool is_dense = a.m == 1;
    for (int k = 0; k <= kInputs; ++k) is_dense &= a.inner[k] == kSpec.item[k];
    if (is_dense) return dense(a.ptr[0], reinterpret_cast<const void* const*>(a.ptr + 1), a.n, a.params);
    run_loop(kSpec, a);
  }
};

// The scalar parameters of a formula, converted to its compute type by the caller.
template <class T, int N> struct ParamLanes {
  Lane<T> v[N > 0 ? N : 1];
  static ParamLanes load(const void* p) {
    ParamLanes out{};
    for (int i = 0; i < N; ++i) out.v[i] = gradcore::GC_ISA::load<T>(static_cast<const Stored<T>*>(p) + i);
    return out;
  }
};

template <class Op, class T, int Arity> struct Forward {
  static constexpr int kParams = formulas::params_of<Op, Arity>;
  static constexpr bool kPad = (formulas::forward_uses<Op, Arity>().bits & formulas::kMath) && is_float_type<T>;
  using Params = ParamLanes<T, kParams>;
  static Params load(const void* p) { return Params::load(p); }
  template <class... L> static __attribute__((always_inline)) auto apply(const Params& p, L... x) {
    if constexpr (kParams == 0) return Op::fwd(x...);
    if constexpr (kParams == 1) return Op::fwd(x..., p.v[0]);
    if constexpr (kParams == 2) return Op::fwd(x..., p.v[0], p.v[1]);
  }
};

// The inputs of a vjp loop are those of (g, operands..., y) that the formula reads, in this order; g is always there.
template <class Op, class T, int Arity, int K> struct Backward {
  static constexpr unsigned kUses = formulas::vjp_uses<Op, Arity, K>();
  static constexpr bool kPad = kUses & formulas::kMath;
  using Params = ParamLanes<T, formulas::params_of<Op, Arity>>;
  static Params load(const void* p) { return Params::load(p); }
  static constexpr int position(int slot) {  // of slot's input among those read
    int n = 0;
    for (int s = 0; s < slot; ++s) n += s == 0 || (kUses & (1u << s));
    return n;
  }
  template <int Slot, class First>
  static __attribute__((always_inline)) auto pick(const First& none, const void* const* lanes) {
    if constexpr (Slot == 0 || (kUses & (1u << Slot)))
      return *static_cast<const First*>(lanes[position(Slot)]);
    else
      return none;
  }
  using A = Lane<typename SelectType<Op::info.mask == 0, bool, T>::type>;
  using B = Lane<typename SelectType<Op::info.mask == 1, bool, T>::type>;
  template <class... L> static __attribute__((always_inline)) auto apply(const Params& p, L... x) {
    const void* const lanes[] = {&x...};
    const Lane<T> none{};
    const auto g = pick<0>(none, lanes), d = pick<3>(none, lanes), y = pick<4>(none, lanes);
    const auto a = pick<1>(A{}, lanes);
    const auto b = pick<2>(B{}, lanes);
    return formulas::vjp_with<Op, Arity, K>(g, a, b, d, y, p.v);
  }
};

template <class Op, class T, int Arity> constexpr LoopFn forward_loop() {
  constexpr uint8_t kind = __is_same(T, bool) ? kBools : is_float_type<T> ? kFloats : kInts;
  if constexpr (!(Op::info.types & kind)) {
    return nullptr;
  } else {
    using F = Forward<Op, T, Arity>;
    using R = typename SelectType<Op::info.result == ResultType::Bool, bool, T>::type;
    using A = typename SelectType<Op::info.mask == 0, bool, T>::type;
    using B = typename SelectType<Op::info.mask == 1, bool, T>::type;
    if constexpr (Arity == 1) return Loop<F, R, A>::run;
    if constexpr (Arity == 2) return Loop<F, R, A, B>::run;
    if constexpr (Arity == 3) return Loop<F, R, A, B, T>::run;
  }
}

template <class F, class R, class... Done> struct BackwardLoop {
  // Adds the operand types one by one as the bits say.
  template <unsigned Rest, int Slot, int Mask> static constexpr LoopFn make() {
    if constexpr (Slot == 5) {
      return Loop<F, R, Done...>::run;
    } else if constexpr (Slot == 0 || (Rest & (1u << Slot))) {
      using Next = typename SelectType<Slot == Mask + 1, bool, R>::type;
      return BackwardLoop<F, R, Done..., Next>::template make<Rest, Slot + 1, Mask>();
    } else {
      return make<Rest, Slot + 1, Mask>();
    }
  }
};

template <class Op, class T, int Arity, int K> constexpr LoopFn backward_loop() {
  if constexpr (!formulas::has_vjp<Op, Arity, K>()) {
    return nullptr;
  } else if constexpr (!(formulas::vjp_uses<Op, Arity, K>() & formulas::kChanged)) {
    return nullptr;  // the gradient is handed on as it is
  } else {
    using F = Backward<Op, T, Arity, K>;
    return BackwardLoop<F, T>::template make < F::kUses, 0, Op::info.mask<0 ? 99 : Op::info.mask>();
  }
}

template <class Op, int Arity> constexpr ElementwiseKernels make_kernels() {
  return {{forward_loop<Op, bool, Arity>(), forward_loop<Op, uint8_t, Arity>(), forward_loop<Op, int8_t, Arity>(),
           forward_loop<Op, int16_t, Arity>(), forward_loop<Op, int32_t, Arity>(), forward_loop<Op, int64_t, Arity>(),
           forward_loop<Op, float, Arity>(), forward_loop<Op, double, Arity>()},
          {{backward_loop<Op, float, Arity, 0>(), backward_loop<Op, double, Arity, 0>()},
           {backward_loop<Op, float, Arity, 1>(), backward_loop<Op, double, Arity, 1>()},
           {backward_loop<Op, float, Arity, 2>(), backward_loop<Op, double, Arity, 2>()}}};
}

template <class List, int Arity> struct KernelsOf;
template <class... Ops, int Arity> struct KernelsOf<formulas::TypeList<Ops...>, Arity> {
  static constexpr ElementwiseKernels value[] = {make_kernels<Ops, Arity>()...};
};

}  // namespace gradcore::GC_ISA
