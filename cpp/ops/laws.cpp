// The numbers are torch's: kernels/portable/laws.h makes them.
#include "ops/laws.h"

#include "kernels/portable/laws.h"
#include "ops/drawing.h"

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
  if (t.dtype() == DType::Bool) fail(ErrorKind::NotImplemented, "\"geometric_cpu\" not implemented for 'Bool'");
  draw_law(t, g, "GeometricBackward0", "geometric", portable::fill_geometric, p, 0);
}

void log_normal_(const Tensor& t, double mean, double std, Generator* g) {
  check(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
  need_floating(t, "log_normal_cpu");
  draw_law(t, g, "LogNormalBackward0", "log_normal", portable::fill_log_normal, mean, std);
}

Tensor poisson(const Tensor& rates, Generator* g) {
  need_floating(rates, "poisson_cpu");
  const Levels levels = levels_of_random_numbers();
  check_same_randomness(rates, levels);
  const Tensor out = empty_batched(levels, rates.shape(), rates.dtype());
  {
    const NoRecordGuard off;
    const Tensor to = physical(out, levels);
    const Tensor from = contiguous(levels.none() ? rates : physical(rates, levels));
    using Args = portable::PoissonArgs;
    const Args args{g ? g : &default_generator(), nullptr, to.numel(), nullptr, rates.dtype()};
    Kernel<Args> k("poisson", portable::fill_poisson, args);
    launch(k.reads(&Args::rates, from.window()).writes(&Args::out, to.window()).may_raise());
  }
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
  check(count.dtype() == probability.dtype(), "Found dtype ", scalar_type_name(probability.dtype()), " but expected ",
        scalar_type_name(count.dtype()));
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

}  // namespace gradcore
