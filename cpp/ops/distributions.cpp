// exponential_, bernoulli and multinomial. The numbers are torch's: kernels/portable/random.h makes them.
#include "kernels/portable/random.h"
#include "ops/drawing.h"
#include "ops/factories.h"
#include "ops/random.h"

namespace gradcore {

void exponential_(const Tensor& t, double lambda, Generator* g) {
  if (!is_floating(t.dtype()) && t.numel())
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

struct BernoulliVjp {
  static constexpr const char* kName = "BernoulliBackward1";
  Dims shape;  // of p
  DType dtype;
  void vjp(Node& self, std::span<Tensor> g, std::span<Tensor> out) {
    if (self.needs(0)) out[0] = zeros_like(g[0]);
    if (self.needs(1)) out[1] = zeros(shape, dtype);
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
  const Levels levels = levels_of_random_numbers();
  const auto check = [&] {
    need_floating(p, "bernoulli_tensor_cpu_p_");
    if (p.shape() != t.shape()) expand(p, t.shape());  // refuses what does not fit
    check_same_randomness(p, levels);
    check_inplace(t, needs_history(t, p));
  };
  const auto node = [&]() -> Ref<Node> {
    if (!is_floating(t.dtype()) || !should_record(t, p)) return {};
    return make_node({&t, &p}, BernoulliVjp{p.shape(), p.dtype()});
  };
  write_in_place(t, check, node, [&](const Tensor& to) {
    const NoRecordGuard off;
    const Tensor target = target_for(to), probs = p.shape() == to.shape() ? p : expand(p, to.shape());
    launch_bernoulli(g ? g : &default_generator(), target, levels.none() ? probs : physical(probs, levels));
    if (!target.is_same(to)) copy_raw(to, hidden_again(target));
  });
}

namespace {

// torch has no derivative for it either, and says so in backward.
struct BernoulliLikeVjp {
  static constexpr const char* kName = "NotImplemented";
  void vjp(Node&, std::span<Tensor>, std::span<Tensor>) {
    fail(ErrorKind::NotImplemented, "derivative for aten::bernoulli is not implemented");
  }
};

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
Tensor factories::bernoulli_like(const Tensor& like, double p, Generator* g) {
  return new_bernoulli(like, p, g, BernoulliLikeVjp{});
}

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

}  // namespace gradcore
