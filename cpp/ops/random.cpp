// Random fills. The numbers are those of torch's CPU generator: kernels/portable/random.h makes them.
#include "kernels/portable/random.h"

#include <limits>

#include "ops/drawing.h"
#include "ops/random.h"
#include "ops/random_range.h"

namespace gradcore {

namespace {

// Which sample gets the permutation that is drawn next: torch lets that of the outermost level change fastest.
int64_t place_of_draw(int64_t number, const Dims& sizes) {
  int64_t place = 0;
  for (int64_t size : sizes) {
    place = place * size + number % size;
    number /= size;
  }
  return place;
}

}  // namespace

void uniform_(const Tensor& t, double from, double to_end, Generator* g) {
  need_floating_dtype(t, "check_uniform_bounds");
  check(from <= to_end, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to_end);
  constexpr FloatingRow<double> kMost =
      by_floating<double>([]<class T>(TypeTag<T>) { return static_cast<double>(std::numeric_limits<T>::max()); });
  const double limit = kMost[t.dtype()];
  check(to_end - from <= limit, "uniform_ expects to-from <= std::numeric_limits<", dtype_name(t.dtype()),
        ">::max(), but found to=", to_end, " and from=", from);
  draw(t, g, "UniformBackward0", [&](Generator* gen, const Tensor& to) {
    using Args = portable::UniformArgs;
    const Args args{gen, nullptr, to.numel(), from, to_end, t.dtype()};
    launch(Kernel<Args>("uniform", portable::fill_uniform, args).writes(&Args::out, to.window()));
  });
}

void normal_(const Tensor& t, double mean, double std, Generator* g) {
  need_floating(t, "normal_kernel_cpu");
  check(std >= 0, "normal expects std >= 0.0, but found std ", std);
  draw(t, g, "NormalBackward0", [&](Generator* gen, const Tensor& to) {
    const bool one_by_one = !t.is_contiguous() && !t->batch;
    using Args = portable::NormalArgs;
    const Args args{gen, nullptr, to.numel(), mean, std, one_by_one, t.dtype()};
    launch(Kernel<Args>("normal", portable::fill_normal, args).writes(&Args::out, to.window()));
  });
}

void random_(const Tensor& t, std::optional<int64_t> low, std::optional<int64_t> high, Generator* g) {
  if (!low) {
    draw(t, g, "RandomBackward2", [&](Generator* gen, const Tensor& to) {
      using Args = portable::RandomArgs;
      const Args args{gen, nullptr, to.numel(), t.dtype()};
      launch(Kernel<Args>("random", portable::fill_random, args).writes(&Args::out, to.window()));
    });
    return;
  }
  const RandomRange r = random_range(t.dtype(), *low, high);
  draw(t, g, "RandomBackward0", [&](Generator* gen, const Tensor& to) {
    using Args = portable::RandintArgs;
    const Args args{gen, nullptr, to.numel(), r.base, r.range, t.dtype()};
    launch(Kernel<Args>("randint", portable::fill_randint, args).writes(&Args::out, to.window()));
  });
}

Tensor randperm(int64_t n, DType dtype, Generator* g) {
  check(n >= 0, "Trying to create tensor with negative dimension ", n, ": [", n, "]");
  if (dtype == DType::Bool) fail(ErrorKind::NotImplemented, "\"randperm\" not implemented for 'Bool'");
  static constexpr double kGreatest[] = {
      1, 255, 127, 32767, 2147483647.0, 9.2e18, 16777216.0, 9007199254740992.0, 2048, 256, 65535, 4294967295.0, 1.8e19};
  check(static_cast<double>(n) <= kGreatest[index_of(dtype)] + 1, "n is too large for result tensor type: '",
        scalar_type_name(dtype), "'");
  const Levels levels = levels_of_random_numbers();
  const Tensor t = empty_batched(levels, Dims{n}, dtype);
  draw(t, g, "RandpermBackward0", [&](Generator* gen, const Tensor& to) {
    using Args = portable::PermutationArgs;
    for (int64_t i = 0; n > 0 && i < to.numel() / n; ++i) {
      const Args args{gen, nullptr, n, dtype};
      launch(Kernel<Args>("randperm", portable::fill_permutation, args)
                 .writes(&Args::out, to.window(), n * place_of_draw(i, levels.sizes)));
    }
  });
  return t.as_new();
}

}  // namespace gradcore
