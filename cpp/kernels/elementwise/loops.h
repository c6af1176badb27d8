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
#include "kernels/convert.h"
#include "kernels/elementwise/group.h"
#include "kernels/elementwise/walk.h"
#include "kernels/lane_ops.h"
#include "kernels/portable/one_by_one.h"

namespace gradcore::GC_ISA {

using formulas::Uses;

constexpr int64_t kWidth = 16;  // elements; a multiple of every vector's lanes
// F: { static constexpr bool kPad; Params; load(); template <class... L> static auto apply(const Params&, L... lanes) }
template <class F, class R, class... In>
__attribute__((noinline)) void body(StoredOf<R>* out, const typename F::Params& params, int64_t n,
                                    const StoredOf<In>*... in) {
  if constexpr (F::kPad) n &= -kWidth;  // it is a multiple: the compiler makes no tail
  GC_INDEPENDENT
  for (int64_t i = 0; i < n; ++i)
    out[i] = static_cast<StoredOf<R>>(value_of(F::apply(params, load_lane<In>(in + i)...)));
}

// The same for formulas that have a short way: Note [Near values].
template <class... T> GC_INLINE bool all_near(int64_t n, const T*... x) {
  int far = 0;
  for (int64_t i = 0; i < n; ++i) far |= !is_near(x[i]...);
  return !far;
}
template <class T> GC_INLINE bool all_near(int64_t n, const T*, const T* a, const T* b) { return all_near(n, a, b); }
template <class F, class T, class... In>
__attribute__((noinline)) void near_body(T* out, const typename F::Params& params, int64_t n, const In*... in) {
  constexpr int64_t kBlock = 512;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    int64_t m = n - begin < kBlock ? n - begin : kBlock;
    if constexpr (F::kPad) m &= -kWidth;
    if (!all_near(m, (in + begin)...)) {
      GC_INDEPENDENT
      for (int64_t i = begin; i < begin + m; ++i) out[i] = F::apply(params, Lane<T>{in[i]}...).v;
      continue;
    }
    GC_INDEPENDENT
    for (int64_t i = begin; i < begin + m; ++i) out[i] = F::apply(params, Near<T>(Lane<T>{in[i]})...).v;
  }
}

// Note [Two ways]
// A special function is often computed one way near 0 and another way beyond. A formula whose near_end is not 0 has its
// value for |x| up to there on Near<T>, and for the others, NaN among them, on Far<T>. What is far is collected, and
// goes its way in lanes of its own. The way depends on the argument alone, and so do the bits.
template <class Op> constexpr double near_end = 0;
template <class T> struct Far : Lane<T> {
  __attribute__((always_inline)) Far(Lane<T> x) : Lane<T>(x) {}
};

template <class F, class T>
__attribute__((noinline)) void split_body(T* out, const typename F::Params& params, int64_t n, const T* in) {
  constexpr int64_t kBlock = 256;
  alignas(64) T far[kBlock + 1];
  uint8_t places[kBlock + 1];
  for (; n > 0; n -= kBlock, in += kBlock, out += kBlock) {
    const int64_t m = (n < kBlock ? n : kBlock) & -kWidth;
    int any = 0;
    for (int64_t i = 0; i < m; ++i) any |= !F::is_near(in[i]);
    int64_t count = 0;
    for (int64_t i = 0; any && i < m; ++i) {
      far[count] = in[i];
      places[count] = static_cast<uint8_t>(i);
      count += !F::is_near(in[i]);
    }
    GC_INDEPENDENT
    for (int64_t i = 0; i < m; ++i) out[i] = F::apply(params, Near<T>(Lane<T>{in[i]})).v;
    if (!count) continue;
    const int64_t whole = (count + kWidth - 1) & -kWidth;
    for (int64_t i = count; i < whole; ++i) far[i] = far[0];
    GC_INDEPENDENT
    for (int64_t i = 0; i < whole; ++i) far[i] = F::apply(params, Far<T>(Lane<T>{far[i]})).v;
    for (int64_t i = 0; i < count; ++i) out[places[i]] = far[i];
  }
}
template <class F> constexpr bool splits = requires { requires F::kSplit; };

// Whether a formula has loops of its own for an input that is one element for a whole row.
template <class F> constexpr bool repeats = requires { requires F::kRepeats; };
// Two inputs, of which number kRepeated is one element for the whole row.
template <class F, class T, int kRepeated>
__attribute__((noinline)) void repeating_body(void* out, const void* const* in, int64_t n, const void* p) {
  const typename F::Params params = F::load(p);
  T* const to = static_cast<T*>(out);
  const T *const a = static_cast<const T*>(in[0]), *const b = static_cast<const T*>(in[1]);
  const Lane<T> one{*(kRepeated == 0 ? a : b)};
  GC_INDEPENDENT
  for (int64_t i = 0; i < n; ++i)
    to[i] = F::apply(params, kRepeated == 0 ? one : Lane<T>{a[i]}, kRepeated == 1 ? one : Lane<T>{b[i]}).v;
}

template <class F, class R, class... In> struct Loop {
  static constexpr int kInputs = sizeof...(In);

  template <int... K>
  static __attribute__((always_inline)) void dense_(StoredOf<R>* out, const void* const* in, int64_t n, const void* p,
                                                    std::integer_sequence<int, K...>) {
    const typename F::Params params = F::load(p);
    constexpr auto run = [] {
      if constexpr (splits<F>)
        return split_body<F, R>;
      else if constexpr (F::kNear)
        return near_body<F, R, In...>;
      else
        return body<F, R, In...>;
    }();
    if constexpr (!F::kPad) {
      run(out, params, n, static_cast<const StoredOf<In>*>(in[K])...);
      return;
    }
    const int64_t whole = n / kWidth * kWidth;
    if (whole) run(out, params, whole, static_cast<const StoredOf<In>*>(in[K])...);
    if (whole == n) return;
    alignas(64) char pad[kInputs][kWidth * 8];
    alignas(64) StoredOf<R> result[kWidth];
    const int64_t rest = n - whole;
    (fill_pad(pad[K], static_cast<const StoredOf<In>*>(in[K]) + whole, rest), ...);
    run(result, params, kWidth, reinterpret_cast<const StoredOf<In>*>(pad[K])...);
    __builtin_memcpy(out + whole, result, rest * sizeof(R));
  }
  template <class T> static __attribute__((always_inline)) void fill_pad(char* pad, const T* from, int64_t n) {
    T* to = reinterpret_cast<T*>(pad);
    for (int64_t i = 0; i < kWidth; ++i) to[i] = from[0];
    __builtin_memcpy(to, from, n * sizeof(T));
  }
  static __attribute__((noinline)) void dense(void* out, const void* const* in, int64_t n, const void* p) {
    dense_(static_cast<StoredOf<R>*>(out), in, n, p, std::make_integer_sequence<int, kInputs>{});
  }
  static constexpr LoopSpec kSpec{dense, kInputs, {sizeof(R), sizeof(In)...}};
  static void run(const LoopArgs& a) {
    bool is_dense = a.m == 1;
    for (int k = 0; k <= kInputs; ++k) is_dense &= a.inner[k] == kSpec.item[k];
    if (is_dense) return dense(a.ptr[0], reinterpret_cast<const void* const*>(a.ptr + 1), a.n, a.params);
    if constexpr (repeats<F> && kInputs == 2) {
      if (repeats_input(kSpec, a, 0)) return run_rows(repeating_body<F, R, 0>, a);
      if (repeats_input(kSpec, a, 1)) return run_rows(repeating_body<F, R, 1>, a);
    }
    run_loop(kSpec, a);
  }
};

// Note [Floats in double]
// Most special functions compute in double whatever they are asked for, and are long. Their floats take the loop of
// doubles, a block at a time.
template <class Op> constexpr bool in_double = false;

// Of a loop of doubles without parameters.
template <class L> struct InDouble {
  static void dense(void* out, const void* const* in, int64_t n, const void* p) {
    run_in_double(L::dense, L::kInputs, static_cast<float*>(out), in, n, p);
  }
  static constexpr LoopSpec kSpec{dense, L::kInputs, {4, 4, 4, 4}};
  static void run(const LoopArgs& a) { run_loop(kSpec, a); }
};

// The scalar parameters of a formula, converted to its compute type by the caller.
template <class T, int N> struct ParamLanes {
  Lane<T> v[N > 0 ? N : 1];
  static ParamLanes load(const void* p) {
    ParamLanes out{};
    for (int i = 0; i < N; ++i) out.v[i] = load_lane<T>(static_cast<const StoredOf<T>*>(p) + i);
    return out;
  }
};

// Whether the quotients of long integers have a short way too, and not of floats alone.
template <class Op> constexpr bool near_integers = false;

template <class Op, class T> struct Forward {
  static constexpr int kParams = formulas::params_of<Op>;
  static constexpr unsigned kUses = formulas::forward_uses<Op>().bits;
  static constexpr bool kPad = (kUses & formulas::kMath) && is_float<T>;
  static constexpr bool kNear =
      Op::info.near || ((kUses & formulas::kQuotient) && (is_float<T> || (near_integers<Op> && sizeof(T) == 8)));
  static constexpr bool kRepeats = Op::info.repeats && (is_float<T> || sizeof(T) < 4);
  static constexpr bool kSplit = near_end<Op> > 0;
  GC_INLINE bool is_near(T x) { return abs(Lane<T>{x}).v <= static_cast<T>(near_end<Op>); }
  using Params = ParamLanes<T, kParams>;
  static Params load(const void* p) { return Params::load(p); }
  template <class... L> static __attribute__((always_inline)) auto apply(const Params& p, L... x) {
    return formulas::forward_with<Op>(p.v, x...);
  }
};

// The inputs of a vjp loop are those of (g, operands..., y) that the formula reads, in this order; g is always there.
template <class Op, class T, int K> struct Backward {
  static constexpr unsigned kUses = formulas::vjp_uses<Op, K>();
  static constexpr bool kPad = kUses & formulas::kMath;
  static constexpr bool kNear = kUses & formulas::kQuotient;
  static constexpr bool kRepeats = Op::info.repeats;
  using Params = ParamLanes<T, formulas::params_of<Op>>;
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
  template <class V, class... L> static __attribute__((always_inline)) auto apply(const Params& p, V first, L... x) {
    const void* const lanes[] = {&first, &x...};
    const V none{};
    const auto g = pick<0>(none, lanes), d = pick<3>(none, lanes), y = pick<4>(none, lanes);
    const auto a = pick<1>(If<Op::info.mask == 0, Lane<bool>, V>{}, lanes);
    const auto b = pick<2>(If<Op::info.mask == 1, Lane<bool>, V>{}, lanes);
    return formulas::vjp_with<Op, K>(g, a, b, d, y, p.v);
  }
};

template <class Op, class T> struct ForwardLoop {
  using F = Forward<Op, T>;
  using R = If<Op::info.result == ResultType::Bool, bool, T>;
  using A = If<Op::info.mask == 0, bool, T>;
  using B = If<Op::info.mask == 1, bool, T>;
  using Type = If<Op::kArity == 1, Loop<F, R, A>, If<Op::kArity == 2, Loop<F, R, A, B>, Loop<F, R, A, B, T>>>;
};
template <class Op>
  requires in_double<Op>
struct ForwardLoop<Op, float> {
  using Type = InDouble<typename ForwardLoop<Op, double>::Type>;
};
// What elements of T are computed as.
template <class T> using Computed = If<is_half_type<T>, float, If<(sizeof(T) < 8), int32_t, int64_t>>;
template <class Op, class T> void run_as_wide(const LoopArgs& a) {
  run_narrow(ForwardLoop<Op, Computed<T>>::Type::kSpec, dtype_of<T>, formulas::params_of<Op>, a);
}

// Halves of a formula with small_loops: each vector is widened, computed and rounded in registers.
template <class Op, class T> struct HalfLoop {
  using Wide = typename ForwardLoop<Op, float>::Type;
  using F = Forward<Op, float>;
  using R = If<Op::info.result == ResultType::Bool, bool, T>;
  static constexpr int kInputs = Op::kArity;
  static_assert(kInputs <= 2 && formulas::params_of<Op> == 0);

  GC_INLINE void step(StoredOf<R>* out, const T* const (&in)[kInputs], int64_t at, const typename F::Params& params) {
    if constexpr (requires { Op::half_bits(uint16_t{}); }) {  // the sign alone changes: no float is needed
      uint16_t bits[kWidth];
      __builtin_memcpy(bits, in[0] + at, sizeof bits);
      for (uint16_t& b : bits) b = Op::half_bits(b);
      __builtin_memcpy(out + at, bits, sizeof bits);
      return;
    }
    float x[kInputs][kWidth];
    for (int k = 0; k < kInputs; ++k) to_floats(x[k], in[k] + at, kWidth);
    const auto apply = [&](int64_t i) {
      if constexpr (kInputs == 1)
        return value_of(F::apply(params, F32{x[0][i]}));
      else
        return value_of(F::apply(params, F32{x[0][i]}, F32{x[1][i]}));
    };
    if constexpr (__is_same(R, bool)) {
      for (int64_t i = 0; i < kWidth; ++i) out[at + i] = apply(i);
    } else {
      float result[kWidth];
      for (int64_t i = 0; i < kWidth; ++i) result[i] = apply(i);
      from_floats(out + at, result, kWidth);
    }
  }
  static __attribute__((noinline)) void dense(void* out, const void* const* in, int64_t n, const void* p) {
    const typename F::Params params = F::load(p);
    StoredOf<R>* const to = static_cast<StoredOf<R>*>(out);
    const T* from[kInputs];
    for (int k = 0; k < kInputs; ++k) from[k] = static_cast<const T*>(in[k]);
    int64_t i = 0;
    for (; i + kWidth <= n; i += kWidth) step(to, from, i, params);
    if (i == n) return;
    T padded[kInputs][kWidth] = {};
    for (int k = 0; k < kInputs; ++k) {
      __builtin_memcpy(padded[k], from[k] + i, static_cast<size_t>(n - i) * sizeof(T));
      from[k] = padded[k];
    }
    StoredOf<R> result[kWidth];
    step(result, from, 0, params);
    __builtin_memcpy(to + i, result, static_cast<size_t>(n - i) * sizeof(R));
  }
  static constexpr LoopSpec kSpec{dense, kInputs, {sizeof(R), sizeof(T), sizeof(T)}};
  static void run(const LoopArgs& a) {
    if (a.numbers) return run_narrow(Wide::kSpec, dtype_of<T>, 0, a);  // a number is a float
    run_loop(kSpec, a);
  }
};

// What is computed one by one, at plain numbers: operands, then parameters.
template <class Op> double at_numbers(const double* x) {
  const auto params = ParamLanes<double, formulas::params_of<Op>>::load(x + Op::kArity);
  const F64 a{x[0]}, b{x[Op::kArity - 1]};
  if constexpr (Op::kArity == 1) return value_of(formulas::forward_with<Op>(params.v, a));
  if constexpr (Op::kArity == 2) return value_of(formulas::forward_with<Op>(params.v, a, b));
}
// Whether an op has code in lanes: of those that go one by one some have it for floats (special_math.h).
template <class Op, class T> constexpr bool in_lanes = !Op::info.one_by_one;
template <class Op, class T> void run_one_by_one(const LoopArgs& a) {
  portable::run_one_by_one<T>(at_numbers<Op>, Op::kArity, formulas::params_of<Op>, a);
}

template <class Op, class T> constexpr LoopFn forward_loop() {
  constexpr bool is_wide_unsigned = gradcore::is_wide_unsigned(dtype_of<T>);
  constexpr uint8_t kind = is_wide_unsigned      ? kWideUnsigned
                           : __is_same(T, bool)  ? kBools
                           : is_floating_type<T> ? kFloats
                                                 : kInts;
  constexpr bool is_narrow = sizeof(T) < sizeof(int32_t) && !(__is_same(T, bool) && Op::info.bools_apart);
  if constexpr (!(Op::info.types & kind) || (is_half_type<T> && Op::info.no_halves))
    return nullptr;
  else if constexpr (!in_lanes<Op, T>)
    return run_one_by_one<Op, T>;
  else if constexpr (is_narrow && Op::info.small_loops && is_half_type<T>)
    return HalfLoop<Op, T>::run;
  else if constexpr (is_narrow && !(Op::info.small_loops && !__is_same(T, bool)))
    return run_as_wide<Op, T>;
  else if constexpr (is_narrow)
    return ForwardLoop<Op, T>::Type::run;
  else if constexpr (is_wide_unsigned)
    return ForwardLoop<Op, Computed<T>>::Type::run;
  else
    return ForwardLoop<Op, T>::Type::run;
}

template <class F, class R, class... Done> struct BackwardLoop {
  // Adds the operand types one by one as the bits say.
  template <unsigned Rest, int Slot, int Mask> static constexpr auto make() {
    if constexpr (Slot == 5) {
      return TypeTag<Loop<F, R, Done...>>{};
    } else if constexpr (Slot == 0 || (Rest & (1u << Slot))) {
      using Next = If<Slot == Mask + 1, bool, R>;
      return BackwardLoop<F, R, Done..., Next>::template make<Rest, Slot + 1, Mask>();
    } else {
      return make<Rest, Slot + 1, Mask>();
    }
  }
};

template <class L, class T, int kParams> void run_backward_as_float(const LoopArgs& a) {
  run_narrow(L::kSpec, dtype_of<T>, kParams, a);
}
template <class Op, class T, int K> constexpr LoopFn backward_loop() {
  if constexpr (!formulas::has_vjp<Op, K>() || Op::info.one_by_one) {
    return nullptr;
  } else if constexpr (!(formulas::vjp_uses<Op, K>() & formulas::kChanged)) {
    return nullptr;  // the gradient is handed on as it is
  } else {
    using Float = If<in_double<Op>, double, If<is_half_type<T>, float, T>>;
    using F = Backward<Op, Float, K>;
    constexpr int kMask = Op::info.mask < 0 ? 99 : Op::info.mask;
    using Own = typename decltype(BackwardLoop<F, Float>::template make<F::kUses, 0, kMask>())::type;
    using L = If<in_double<Op> && sizeof(T) < 8, InDouble<Own>, Own>;
    if constexpr (is_half_type<T>)
      return run_backward_as_float<L, T, formulas::params_of<Op>>;
    else
      return L::run;
  }
}

template <class Op, int K> constexpr FloatingRow<LoopFn> backward_loops() {
  return by_floating<LoopFn>([]<class T>(TypeTag<T>) { return backward_loop<Op, T, K>(); });
}
template <class Op> constexpr ElementwiseKernels make_kernels() {
  return {by_dtype<LoopFn>([]<class T>(TypeTag<T>) { return forward_loop<Op, T>(); }),
          {backward_loops<Op, 0>(), backward_loops<Op, 1>(), backward_loops<Op, 2>()}};
}
template <class... Ops> constexpr GroupKernels<int{sizeof...(Ops)}> make_group(TypeList<Ops...>) {
  return {{make_kernels<Ops>()...}};
}
template <class Group> constinit const GroupKernels<Group::size> KernelsOf<Group>::table = make_group(Group{});

}  // namespace gradcore::GC_ISA
