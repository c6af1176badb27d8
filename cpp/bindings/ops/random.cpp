// Random numbers.
#include "ops/random.h"
#include "bindings/ops/register.h"
#include "ops/dropout.h"
#include "ops/factories.h"
#include "ops/laws.h"

namespace gradcore {

namespace {

using Options = TensorOptions;

constexpr OpRow kRows[] = {
    op("rand(int[] size, *, Generator? generator=None, Tensor? out=None, TensorOptions options) -> Tensor",
       [](const Dims& size, Generator* g, const OutTensor& out, const Options& o) {
         return factories::rand(size, g, out.tensor, o);
       },
       {.kind = kFunction, .out = Out::Fills}),
    op("randn(int[] size, *, Generator? generator=None, Tensor? out=None, TensorOptions options) -> Tensor",
       [](const Dims& size, Generator* g, const OutTensor& out, const Options& o) {
         return factories::randn(size, g, out.tensor, o);
       },
       {.kind = kFunction, .out = Out::Fills}),
    op("rand_like(Tensor input, *, Generator? generator=None, TensorOptions options, MemoryFormat? memory_format=None) "
       "-> Tensor",
       fn<factories::rand_like>, {.kind = kFunction}),
    op("randn_like(Tensor input, *, Generator? generator=None, TensorOptions options, MemoryFormat? "
       "memory_format=None) "
       "-> Tensor",
       fn<factories::randn_like>, {.kind = kFunction}),
    op("randint(int high, int[] size, *, Generator? generator=None, Tensor? out=None, TensorOptions options) -> Tensor",
       [](int64_t high, const Dims& size, Generator* g, const OutTensor& out, const Options& o) {
         return factories::randint(0, high, size, g, out.tensor, o);
       },
       {.kind = kFunction, .out = Out::Fills}),
    op("randint(int low, int high, int[] size, *, Generator? generator=None, Tensor? out=None, TensorOptions options) "
       "-> Tensor",
       [](int64_t low, int64_t high, const Dims& size, Generator* g, const OutTensor& out, const Options& o) {
         return factories::randint(low, high, size, g, out.tensor, o);
       },
       {.kind = kFunction, .out = Out::Fills}),
    op("randint_like(Tensor input, int high, *, Generator? generator=None, TensorOptions options, MemoryFormat? "
       "memory_format=None) -> Tensor",
       [](const Tensor& t, int64_t high, Generator* g, const Options& o, MemoryFormat format) {
         return factories::randint_like(t, 0, high, g, o, format);
       },
       {.kind = kFunction}),
    op("randint_like(Tensor input, int low, int high, *, Generator? generator=None, TensorOptions options, "
       "MemoryFormat? memory_format=None) -> Tensor",
       fn<factories::randint_like>, {.kind = kFunction}),
    op("randperm(int n, *, Generator? generator=None, Tensor? out=None, TensorOptions options) -> Tensor",
       fn<factories::randperm>, {.kind = kFunction, .out = Out::Fills}),

    op("uniform_(Tensor input, float from=0.0, float to=1.0, *, Generator? generator=None) -> Tensor", fn<uniform_>,
       {.kind = kMethod}),
    op("normal_(Tensor input, float mean=0.0, float std=1.0, *, Generator? generator=None) -> Tensor", fn<normal_>,
       {.kind = kMethod}),
    op("random_(Tensor input, *, Generator? generator=None) -> Tensor",
       [](const Tensor& t, Generator* g) { random_(t, {}, {}, g); }, {.kind = kMethod}),
    op("random_(Tensor input, int to, *, Generator? generator=None) -> Tensor",
       [](const Tensor& t, int64_t to, Generator* g) { random_(t, 0, to, g); }, {.kind = kMethod}),
    op("random_(Tensor input, int from, int? to, *, Generator? generator=None) -> Tensor",
       [](const Tensor& t, int64_t from, std::optional<int64_t> to, Generator* g) { random_(t, from, to, g); },
       {.kind = kMethod}),
    op("exponential_(Tensor input, float lambd=1.0, *, Generator? generator=None) -> Tensor", fn<exponential_>,
       {.kind = kMethod}),
    op("cauchy_(Tensor input, float median=0.0, float sigma=1.0, *, Generator? generator=None) -> Tensor", fn<cauchy_>,
       {.kind = kMethod}),
    op("geometric_(Tensor input, float p, *, Generator? generator=None) -> Tensor", fn<geometric_>, {.kind = kMethod}),
    op("log_normal_(Tensor input, float mean=1.0, float std=2.0, *, Generator? generator=None) -> Tensor",
       fn<log_normal_>, {.kind = kMethod}),
    op("poisson(Tensor input, Generator? generator=None) -> Tensor", fn<poisson>, {.kind = kFunction}),
    op("binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor", fn<binomial>, {.kind = kFunction}),
    op("_standard_gamma(Tensor input, Generator? generator=None) -> Tensor", fn<standard_gamma>, {.kind = kFunction}),
    op("_sample_dirichlet(Tensor input, Generator? generator=None) -> Tensor", fn<sample_dirichlet>,
       {.kind = kFunction}),
    op("_standard_gamma_grad(Tensor input, Tensor output) -> Tensor", fn<standard_gamma_grad>, {.kind = kFunction}),
    op("_dirichlet_grad(Tensor x, Tensor alpha, Tensor total) -> Tensor", fn<dirichlet_grad>, {.kind = kFunction}),
    op("normal(Tensor mean, Operand std=1.0, *, Generator? generator=None, Tensor? out=None) -> Tensor", fn<normal>,
       {.kind = kFunction}),
    op("normal(Number mean, Tensor std, *, Generator? generator=None, Tensor? out=None) -> Tensor", fn<normal>,
       {.kind = kFunction}),
    op("normal(float mean, float std, int[] size, *, Generator? generator=None, Tensor? out=None, TensorOptions "
       "options) -> Tensor",
       [](double mean, double std, const Dims& size, Generator* g, const OutTensor& out, const Options& o) {
         return factories::normal(mean, std, size, g, out.tensor, o);
       },
       {.kind = kFunction, .out = Out::Fills}),
    op("bernoulli_(Tensor input, Tensor p, *, Generator? generator=None) -> Tensor",
       [](const Tensor& t, const Tensor& p, Generator* g) { bernoulli_(t, p, g); }, {.kind = kMethod}),
    op("bernoulli_(Tensor input, float p=0.5, *, Generator? generator=None) -> Tensor",
       [](const Tensor& t, double p, Generator* g) { bernoulli_(t, p, g); }, {.kind = kMethod}),
    op("bernoulli(Tensor input, *, Generator? generator=None, Tensor? out=None) -> Tensor",
       [](const Tensor& p, Generator* g) { return bernoulli(p, g); }, {.out = Out::AnyType}),
    op("bernoulli(Tensor input, float p, *, Generator? generator=None) -> Tensor", fn<factories::bernoulli_like>),
    op("native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)", fn<native_dropout>,
       {.kind = kFunction}),
    op("multinomial(Tensor input, int num_samples, bool replacement=False, *, Generator? generator=None, "
       "Tensor? out=None) -> Tensor",
       fn<multinomial>, {.out = Out::Exact}),
};

}  // namespace

void register_random() { register_rows(kRows, Halves::Native); }

}  // namespace gradcore
