// Random fills. The numbers are those of torch's CPU generator: kernels/portable/random.h makes them.
#include "kernels/portable/random.h"
#include "core/generator.h"
#include "ops/ops.h"
#include "ops/random_range.h"
#include "ops/record.h"
#include "tensor/batch.h"
#include "tensor/door.h"

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

// Fills `t` by fill(generator, contiguous tensor to write to).
template <class F> void draw(const Tensor& t, Generator* g, const char* node, F&& fill) {
  const bool recorded = is_floating(t.dtype()) && should_record(t);
  check_inplace(t, needs_history(t));
  Ref<Node> history;
  if (recorded) history = make_node({&t}, DrawVjp{node});
  {
    const NoRecordGuard off;
    const Tensor target = target_for(t);
    fill(g ? g : &default_generator(), target);
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

void uniform_(const Tensor& t, double from, double to_end, Generator* g) {
  need_floating(t, "check_uniform_bounds");
  check(from <= to_end, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to_end);
  const double limit = t.dtype() == DType::Float32 ? 3.4028234663852886e38 : 1.7976931348623157e308;
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

void exponential_(const Tensor& t, double lambda, Generator* g) {
  if (!is_floating(t.dtype()))
    fail("Exponential distribution is a continuous probability distribution. dtype must be a floating point but you ",
         "specified ", scalar_type_name(t.dtype()));
  check(lambda > 0, "exponential_ expects lambda > 0.0, but found lambda=", lambda);
  draw(t, g, "ExponentialBackward0", [&](Generator* gen, const Tensor& to) {
    using Args = portable::ExponentialArgs;
    const Args args{gen, nullptr, to.numel(), lambda, t.dtype()};
    launch(Kernel<Args>("exponential", portable::fill_exponential, args).writes(&Args::out, to.window()));
  });
}

void bernoulli_(const Tensor& t, double p, Generator* g) {
  check(p >= 0 && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p=", p);
  draw(t, g, "BernoulliBackward2", [&](Generator* gen, const Tensor& to) {
    using Args = portable::BernoulliArgs;
    const Args args{gen, nullptr, to.numel(), p, t.dtype()};
    launch(Kernel<Args>("bernoulli", portable::fill_bernoulli, args).writes(&Args::out, to.window()));
  });
}

namespace {

// Where the numbers of one sample are drawn for all, the tensors that they depend on may not differ between samples.
void check_same_randomness(const Tensor& t, const Levels& levels) {
  for (int64_t id : levels_of({&t}).ids)
    check(levels.find(id) >= 0, "Vmap does not currently support same randomness with a batched tensor input");
}

struct BernoulliVjp {
  static constexpr const char* kName = "BernoulliBackward1";
  Dims shape;  // of p
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = zeros_like(g[0]);
    if (self.needs(1)) out[1] = zeros(shape, g[0].dtype());
  }
};

// Ones with the probabilities `p`, in the memory order of `to`.
void launch_bernoulli(Generator* gen, const Tensor& to, const Tensor& p) {
  const Tensor probs = empty_strided(to.shape(), to.strides(), p.dtype());
  copy_raw(probs, p);
  using Args = portable::BernoulliEachArgs;
  const Args args{gen, nullptr, to.numel(), nullptr, p.dtype(), to.dtype()};
  Kernel<Args> k("bernoulli", portable::fill_bernoulli_each, args);
  launch(k.reads(&Args::probs, probs.window()).writes(&Args::out, to.window()).may_raise());
}

}  // namespace

void bernoulli_(const Tensor& t, const Tensor& p, Generator* g) {
  need_floating(p, "bernoulli_tensor_cpu_p_");
  const Tensor probs = p.shape() == t.shape() ? p : expand(p, t.shape());
  const Levels levels = levels_of_random_numbers();
  check_same_randomness(p, levels);
  const bool recorded = is_floating(t.dtype()) && should_record(t, p);
  check_inplace(t, needs_history(t, p));
  Ref<Node> history;
  if (recorded) history = make_node({&t, &p}, BernoulliVjp{p.shape()});
  {
    const NoRecordGuard off;
    const Tensor target = target_for(t);
    launch_bernoulli(g ? g : &default_generator(), target, levels.none() ? probs : physical(probs, levels));
    if (!target.is_same(t)) copy_raw(t, hidden_again(target));
  }
  finish_inplace(t, std::move(history));
}

namespace {

// torch has no derivative for it either, and says so in backward.
struct BernoulliLikeVjp {
  static constexpr const char* kName = "NotImplemented";
  void vjp(Node&, std::span<Tensor>, std::span<Tensor>) {
    fail(ErrorKind::NotImplemented, "derivative for aten::bernoulli is not implemented");
  }
};

// A fresh tensor for numbers that may depend on `t`.
Tensor empty_for_draws(const Tensor& t) {
  const Levels levels = levels_of_random_numbers();
  check_same_randomness(t, levels);
  return levels.none() ? empty_like(t, t.dtype()) : empty_batched(levels, t.shape(), t.dtype());
}

template <class P, class Vjp> Tensor new_bernoulli(const Tensor& like, const P& p, Generator* g, Vjp vjp) {
  const Tensor out = empty_for_draws(like);
  {
    const NoRecordGuard off;
    bernoulli_(out, p, g);
    out.as_new();
  }
  if (is_floating(like.dtype()) && should_record(like)) record(out, {&like}, std::move(vjp));
  return out;
}

}  // namespace

Tensor bernoulli(const Tensor& p, Generator* g) {
  need_floating(p, "bernoulli_tensor_cpu_p_");
  return new_bernoulli(p, p, g, DrawVjp{"BernoulliBackward0"});
}
Tensor bernoulli(const Tensor& like, double p, Generator* g) { return new_bernoulli(like, p, g, BernoulliLikeVjp{}); }

Tensor multinomial(const Tensor& t, int64_t samples, bool replacement, Generator* g) {
  check(t.dim() == 1 || t.dim() == 2, "prob_dist must be 1 or 2 dim");
  check(is_floating(t.dtype()),
        "multinomial only supports floating-point dtypes for input, got: ", scalar_type_name(t.dtype()));
  check(samples > 0, "cannot sample n_sample <= 0 samples");
  const int64_t categories = t.size(t.dim() - 1);
  check(replacement || samples <= categories,
        "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
  check(categories <= int64_t{1} << 24, "number of categories cannot exceed 2^24");
  const Levels levels = levels_of_random_numbers();
  check_same_randomness(t, levels);
  Dims shape = t.shape();
  shape[t.dim() - 1] = samples;
  const NoRecordGuard off;
  const Tensor probs = contiguous(levels.none() ? t : physical(t, levels));
  Tensor out = empty_batched(levels, shape, DType::Int64);
  const Tensor to = physical(out, levels);
  if (to.numel() == 0) return out;
  check(categories > 0, "multinomial: there are no categories to draw from");
  using Args = portable::MultinomialArgs;
  const Args args{g ? g : &default_generator(),
                  nullptr,
                  nullptr,
                  probs.numel() / categories,
                  categories,
                  samples,
                  replacement,
                  t.dtype()};
  Kernel<Args> k("multinomial", portable::sample_multinomial, args);
  launch(k.reads(&Args::probs, probs.window()).writes(&Args::out, to.window()).may_raise());
  return out;
}

Tensor randperm(int64_t n, DType dtype, Generator* g) {
  check(n >= 0, "n must be non-negative, got", n);
  if (dtype == DType::Bool) fail(ErrorKind::NotImplemented, "\"randperm\" not implemented for 'Bool'");
  static constexpr double kGreatest[] = {1, 255, 127, 32767, 2147483647.0, 9.2e18, 16777216.0, 9007199254740992.0};
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
