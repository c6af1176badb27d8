// The numbers are torch's: kernels/portable/laws.h makes them.
#include "ops/laws.h"

#include "kernels/portable/laws.h"
#include "kernels/portable/quantiles.h"
#include "ops/batching.h"
#include "ops/drawing.h"
#include "ops/random.h"
#include "ops/underivable.h"

namespace gradcore {

namespace {

using Fill = void (*)(const portable::LawArgs&);

void draw_law(const Tensor& t, Generator* g, const char* node, const char* name, Fill fill, double a, double b) {
  draw(t, g, node, [&](Generator* gen, const Tensor& to) {
    using Args = portable::LawArgs;
    const Args args{gen, nullptr, to.numel(), a, b, t.dtype()};
    launch(Kernel<Args>(name, fill, args).writes(&Args::out, to.window()));
  });
}

struct NoBinomialVjp {
  static constexpr const char* kName = "NotImplemented";
  void vjp(Node&, std::span<Tensor>, std::span<Tensor>) {
    fail(ErrorKind::NotImplemented, "the derivative for 'binomial' is not implemented.");
  }
};

void check_same_dtype(const Tensor& t, const Tensor& like) {
  check(t.dtype() == like.dtype(), "Found dtype ", scalar_type_name(t.dtype()), " but expected ",
        scalar_type_name(like.dtype()));
}

// A fresh tensor with a number for each element of `parameters`: fill(generator, tensor to write, what it depends on),
// both contiguous.
template <class F> Tensor draw_each(const Tensor& parameters, Generator* g, F&& fill) {
  const Levels levels = levels_of_random_numbers();
  check_same_randomness(parameters, levels);
  const Tensor out = empty_batched(levels, parameters.shape(), parameters.dtype());
  const NoRecordGuard off;
  fill(g ? g : &default_generator(), physical(out, levels),
       contiguous(levels.none() ? parameters : physical(parameters, levels)));
  return out;
}

}  // namespace

void cauchy_(const Tensor& t, double median, double sigma, Generator* g) {
  check(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
  check(is_floating(t.dtype()),
        "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
        "specified ",
        dtype_name(t.dtype()));
  draw_law(t, g, "CauchyBackward0", "cauchy", portable::fill_cauchy, median, sigma);
}

void geometric_(const Tensor& t, double p, Generator* g) {
  check(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
  if (t.dtype() == DType::Bool && t.numel())
    fail(ErrorKind::NotImplemented, "\"geometric_cpu\" not implemented for 'Bool'");
  draw_law(t, g, "GeometricBackward0", "geometric", portable::fill_geometric, p, 0);
}

void log_normal_(const Tensor& t, double mean, double std, Generator* g) {
  check(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
  need_floating(t, "log_normal_cpu");
  draw_law(t, g, "LogNormalBackward0", "log_normal", portable::fill_log_normal, mean, std);
}

Tensor poisson(const Tensor& rates, Generator* g) {
  need_floating(rates, "poisson_cpu");
  const Tensor out = draw_each(rates, g, [](Generator* gen, const Tensor& to, const Tensor& from) {
    using Args = portable::PoissonArgs;
    const Args args{gen, nullptr, to.numel(), nullptr, from.dtype()};
    Kernel<Args> k("poisson", portable::fill_poisson, args);
    launch(k.reads(&Args::rates, from.window()).writes(&Args::out, to.window()).may_raise());
  });
  if (should_record(rates)) record(out, {&rates}, DrawVjp{"PoissonBackward0"});
  return out;
}

namespace {

// What mean and std are has no slope: gradients are zeros, each of its tensor's shape.
struct NormalVjp {
  const char* node;
  Dims shapes[2];
  DType dtypes[2];
  const char* name() const { return node; }
  void vjp(Node& self, std::span<Tensor>, std::span<Tensor> out) {
    for (int i = 0; i < self.edge_count(); ++i)
      if (self.needs(i)) out[static_cast<size_t>(i)] = zeros(shapes[i], dtypes[i]);
  }
};

void record_normal(const Tensor& out, const Operand& mean, const Operand& std) {
  if (!std.is_tensor()) {
    const Tensor& m = *mean.tensor;
    if (should_record(m)) record(out, {&m}, NormalVjp{"NormalBackward1", {m.shape()}, {m.dtype()}});
    return;
  }
  const Tensor& s = *std.tensor;
  if (!mean.is_tensor()) {
    if (should_record(s)) record(out, {&s}, NormalVjp{"NormalBackward2", {s.shape()}, {s.dtype()}});
    return;
  }
  const Tensor& m = *mean.tensor;
  if (should_record(m, s))
    record(out, {&m, &s}, NormalVjp{"NormalBackward3", {m.shape(), s.shape()}, {m.dtype(), s.dtype()}});
}

void check_spread(const Operand& std) {
  if (!std.is_tensor()) {
    check(std.scalar.to_double() >= 0, "normal expects std >= 0.0, but found std ", std.scalar.to_double());
    return;
  }
  if (any_batched(*std.tensor)) return;  // there are no values to decide by
  const Tensor negative = any(lt(*std.tensor, Scalar(0)), {}, false);
  check(!*negative.host<bool>(), "normal expects all elements of std >= 0.0");
}

}  // namespace

Tensor normal(const Operand& mean, const Operand& std, Generator* g) {
  const Tensor& like = mean.is_tensor() ? *mean.tensor : *std.tensor;
  need_floating(like, "normal_kernel_cpu");
  Dims shape = like.shape();
  if (mean.is_tensor() && std.is_tensor()) shape = broadcast_shapes(shape, std.tensor->shape());
  const Levels levels = levels_of_random_numbers();
  for (const Operand* operand : {&mean, &std})
    if (operand->is_tensor()) check_same_randomness(*operand->tensor, levels);
  Tensor out;
  {
    const NoRecordGuard off;
    check_spread(std);
    out = empty_batched(levels, shape, like.dtype());
    normal_(out, 0, 1, g);
    if (std.is_tensor() || std.scalar.to_double() != 1) mul_(out, std);
    add_(out, mean);
    out.as_new();
  }
  record_normal(out, mean, std);
  return out;
}

Tensor binomial(const Tensor& count, const Tensor& probability, Generator* g) {
  check(is_floating(count.dtype()), ErrorKind::Value,
        "binomial only supports floating-point dtypes for count, got: ", scalar_type_name(count.dtype()));
  check(is_floating(probability.dtype()), ErrorKind::Value,
        "binomial only supports floating-point dtypes for prob, got: ", scalar_type_name(probability.dtype()));
  check_same_dtype(probability, count);
  if (is_half(count.dtype()))
    fail(ErrorKind::NotImplemented, "\"binomial_cpu\" not implemented for '", scalar_type_name(count.dtype()), "'");
  const Dims shape = broadcast_shapes(count.shape(), probability.shape());
  const Levels levels = levels_of_random_numbers();
  check_same_randomness(count, levels);
  check_same_randomness(probability, levels);
  const Tensor out = empty_batched(levels, shape, count.dtype());
  {
    const NoRecordGuard off;
    const auto dense = [&](const Tensor& t) {
      const Tensor whole = expand(t, shape);
      return contiguous(levels.none() ? whole : physical(whole, levels));
    };
    const Tensor to = physical(out, levels), counts = dense(count), probabilities = dense(probability);
    using Args = portable::BinomialArgs;
    Kernel<Args> k("binomial", portable::fill_binomial,
                   {g ? g : &default_generator(), nullptr, nullptr, to.numel(), nullptr, count.dtype()});
    k.reads(&Args::counts, counts.window()).reads(&Args::probabilities, probabilities.window());
    launch(k.writes(&Args::out, to.window()).may_raise());
  }
  if (should_record(count, probability)) record(out, {&count, &probability}, NoBinomialVjp{});
  return out;
}

// ---- gamma and Dirichlet numbers

namespace {

void need_single_or_double(const Tensor& t, const char* name) {
  if (t.dtype() != DType::Float32 && t.dtype() != DType::Float64)
    fail(ErrorKind::NotImplemented, "\"", name, "\" not implemented for '", scalar_type_name(t.dtype()), "'");
}

struct StandardGammaVjp {
  static constexpr const char* kName = "StandardGammaBackward0";
  Saved self, result;
  SavedFields fields() { return {{"self", &self}, {"result", &result}}; }
  void vjp(Node& node, std::span<Tensor> g, std::span<Tensor> out) {
    out[0] = mul(g[0], standard_gamma_grad(self.unpack(&node), result.unpack(&node)));
  }
  auto saves() { return std::tie(self, result); }
};

template <class... T> Dims joint_shape(const T&... tensors) {
  Dims shape;
  ((shape = broadcast_shapes(shape, tensors.shape())), ...);
  return shape;
}

// run(result, operands...), all of one shape and contiguous; the result has the dtype of the first operand.
template <class Run, class... T> Tensor each_together(Run&& run, const Tensor& first, const T&... rest) {
  const NoRecordGuard off;
  const auto compute = [&](int, const auto&... operands) {
    const Dims shape = joint_shape(operands...);
    const Tensor out = empty(shape, first.dtype());
    run(out, contiguous(expand(operands, shape))...);
    return out;
  };
  const Dims shape = joint_shape(first, rest...);  // as many dims for all, so that batch dims can stand in front
  return batched_in_front(compute, expand(first, shape), expand(rest, shape)...);
}

}  // namespace

Tensor standard_gamma(const Tensor& concentration, Generator* g) {
  need_single_or_double(concentration, "gamma_cpu");
  const Tensor out = draw_each(concentration, g, [](Generator* gen, const Tensor& to, const Tensor& from) {
    using Args = portable::GammaArgs;
    Kernel<Args> k("_standard_gamma", portable::fill_gamma, {gen, nullptr, to.numel(), nullptr, from.dtype()});
    launch(k.reads(&Args::concentrations, from.window()).writes(&Args::out, to.window()));
  });
  if (should_record(concentration))
    record(out, {&concentration}, StandardGammaVjp{Saved(concentration), Saved::output(out)});
  return out;
}

Tensor sample_dirichlet(const Tensor& concentration, Generator* g) {
  need_single_or_double(concentration, "dirichlet");
  const Tensor out = draw_each(concentration, g, [&](Generator* gen, const Tensor& to, const Tensor& from) {
    if (to.numel() == 0) return;
    const int64_t categories = concentration.dim() == 0 ? 1 : concentration.size(concentration.dim() - 1);
    using Args = portable::DirichletArgs;
    Kernel<Args> k("_sample_dirichlet", portable::fill_dirichlet,
                   {gen, nullptr, to.numel() / categories, categories, nullptr, from.dtype()});
    launch(k.reads(&Args::concentrations, from.window()).writes(&Args::out, to.window()).may_raise());
  });
  record_underivable(out, concentration, {"_sample_dirichlet"});
  return out;
}

Tensor standard_gamma_grad(const Tensor& concentration, const Tensor& x) {
  check_same_dtype(x, concentration);
  need_single_or_double(concentration, "_standard_gamma_grad_cpu");
  const auto run = [](const Tensor& out, const Tensor& a, const Tensor& at) {
    using Args = portable::GammaSlopeArgs;
    Kernel<Args> k("_standard_gamma_grad", portable::gamma_slopes, {nullptr, nullptr, nullptr, out.numel(), a.dtype()});
    k.reads(&Args::concentrations, a.window()).reads(&Args::x, at.window());
    launch(k.writes(&Args::out, out.window()));
  };
  const Tensor out = each_together(run, concentration, x);
  record_underivable(out, concentration, {"_standard_gamma_grad", "StandardGammaGradBackward0"});
  return out;
}

Tensor dirichlet_grad(const Tensor& x, const Tensor& concentration, const Tensor& total) {
  check_same_dtype(concentration, x);
  check_same_dtype(total, x);
  need_single_or_double(x, "_dirichlet_grad_cpu");
  const auto run = [](const Tensor& out, const Tensor& at, const Tensor& a, const Tensor& of) {
    using Args = portable::BetaSlopeArgs;
    Kernel<Args> k("_dirichlet_grad", portable::beta_slopes,
                   {nullptr, nullptr, nullptr, nullptr, out.numel(), at.dtype()});
    k.reads(&Args::x, at.window()).reads(&Args::concentrations, a.window()).reads(&Args::totals, of.window());
    launch(k.writes(&Args::out, out.window()));
  };
  const Tensor out = each_together(run, x, concentration, total);
  record_underivable({&out, 1}, {&x, &concentration, &total}, {"_dirichlet_grad"});
  return out;
}

}  // namespace gradcore
