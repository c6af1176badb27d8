// Random fills. The numbers are those of torch's CPU generator: core/generator.h says how they are made.
#include <cmath>

#include "core/generator.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/batch.h"

namespace gradcore {

namespace {

// What was there has no influence on the numbers drawn.
struct DrawVjp {
  const char* node;
  const char* name() const { return node; }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = zeros_like(g[0]); }
};

// Where numbers for `t` are drawn: in place where it is dense (in memory order, as torch does), else into a buffer.
// Within vmap the numbers differ along some levels, which `t` must have, and are the same along others.
Tensor target_for(const Tensor& t) {
  const Levels levels = levels_of_random_numbers();
  if (levels.none() && !t->batch) return is_dense(t) ? t : empty(t.shape(), t.dtype());
  for (int64_t id : levels.ids)
    check(levels_of({&t}).find(id) >= 0,
          "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear "
          "like same randomness. If this is necessary for your usage, please file an issue.");
  return physical(empty_batched(levels, t.shape(), t.dtype()));
}
Tensor hidden_again(const Tensor& numbers) { return hide(numbers, levels_of_random_numbers()); }

template <class F> void draw(const Tensor& t, Generator* g, const char* node, F&& fill) {
  const bool recorded = is_floating(t.dtype()) && should_record(t);
  check_inplace(t, needs_history(t));
  Ref<Node> history;
  if (recorded) history = make_node({&t}, DrawVjp{node});
  {
    const NoRecordGuard off;
    Generator& gen = g ? *g : default_generator();
    const Tensor target = target_for(t);
    {
      const std::lock_guard lock(gen.mutex());
      visit_dtype(t.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        fill(gen, target.data<T>(), target.numel());
      });
    }
    if (!target.is_same(t)) copy_raw(t, hidden_again(target));
  }
  finish_inplace(t, std::move(history));
}

// Which sample gets the permutation that is drawn next: torch lets that of the outermost level change fastest.
int64_t place_of_draw(int64_t number, const Dims& sizes) {
  int64_t place = 0;
  for (int64_t size : sizes) {
    place = place * size + number % size;
    number /= size;
  }
  return place;
}

void need_floating(const Tensor& t, const char* name) {
  if (!is_floating(t.dtype()))
    fail(ErrorKind::NotImplemented, "\"", name, "\" not implemented for '", scalar_type_name(t.dtype()), "'");
}

}  // namespace

void uniform_(const Tensor& t, double from, double to, Generator* g) {
  need_floating(t, "check_uniform_bounds");
  check(from <= to, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to);
  const double limit = t.dtype() == DType::Float32 ? 3.4028234663852886e38 : 1.7976931348623157e308;
  check(to - from <= limit, "uniform_ expects to-from <= std::numeric_limits<", dtype_name(t.dtype()),
        ">::max(), but found to=", to, " and from=", from);
  draw(t, g, "UniformBackward0", [&](Generator& gen, auto* p, int64_t n) {
    if constexpr (std::is_floating_point_v<std::remove_pointer_t<decltype(p)>>) fill_uniform(gen, p, n, from, to);
  });
}

void normal_(const Tensor& t, double mean, double std, Generator* g) {
  need_floating(t, "normal_kernel_cpu");
  check(std >= 0, "normal expects std >= 0.0, but found std ", std);
  draw(t, g, "NormalBackward0", [&](Generator& gen, auto* p, int64_t n) {
    if constexpr (std::is_floating_point_v<std::remove_pointer_t<decltype(p)>>) {
      if (t.is_contiguous() || t->batch)
        fill_normal(gen, p, n, mean, std);
      else
        fill_normal_one_by_one(gen, p, n, mean, std);
    }
  });
}

void random_(const Tensor& t, std::optional<int64_t> low, std::optional<int64_t> high, Generator* g) {
  if (!low) {
    draw(t, g, "RandomBackward2", [&](Generator& gen, auto* p, int64_t n) { fill_random(gen, p, n); });
    return;
  }
  const RandomRange range = random_range(t.dtype(), *low, high);
  draw(t, g, "RandomBackward0", [&](Generator& gen, auto* p, int64_t n) { fill_randint(gen, p, n, range); });
}

Tensor randperm(int64_t n, DType dtype, Generator* g) {
  check(n >= 0, "n must be non-negative, got", n);
  if (dtype == DType::Bool) fail(ErrorKind::NotImplemented, "\"randperm\" not implemented for 'Bool'");
  static constexpr double kGreatest[] = {1, 255, 127, 32767, 2147483647.0, 9.2e18, 16777216.0, 9007199254740992.0};
  check(static_cast<double>(n) <= kGreatest[index_of(dtype)] + 1, "n is too large for result tensor type: '",
        scalar_type_name(dtype), "'");
  const Levels levels = levels_of_random_numbers();
  const Tensor t = empty_batched(levels, Dims{n}, dtype);
  draw(t, g, "RandpermBackward0", [&](Generator& gen, auto* p, int64_t count) {
    if constexpr (!std::is_same_v<std::remove_pointer_t<decltype(p)>, bool>)
      for (int64_t i = 0; n > 0 && i < count / n; ++i) fill_randperm(gen, p + n * place_of_draw(i, levels.sizes), n);
  });
  return t.as_new();
}

}  // namespace gradcore
