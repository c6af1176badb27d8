#include "bindings/casting.h"

#include "ops/ops.h"

namespace gradcore {

void Casts::add(Tensor& lent) {
  if (!lent) return;
  check(lent_count_ < kMost, "an op of more than ", kMost, " tensors cannot cast them");
  lent_[lent_count_++] = &lent;
}

// The places get back what they had, for they count nothing.
Casts::~Casts() {
  for (size_t i = casts_.size(); i-- > 0;) {
    Cast& c = casts_[i];
    if (!c.is_lent) continue;
    c.place->take().leak();
    *c.place = Tensor(Ref<TensorImpl>::adopt(c.before.impl()));
  }
}

template <class F> void Casts::each_float(F&& f) {
  for (int i = 0; i < lent_count_; ++i)
    if (is_floating(lent_[i]->dtype())) f(*lent_[i], true);
  for (int i = 0; i < list_count_; ++i)
    for (Tensor& t : *lists_[i])
      if (t && is_floating(t.dtype())) f(t, false);
}

void Casts::replace(Tensor& place, bool is_lent, Tensor by) {
  Cast c{&place, is_lent, place, std::move(by), 0};
  c.version = c.now.version();
  if (is_lent) {
    place.take().leak();
    place = Tensor(Ref<TensorImpl>::adopt(c.now.impl()));
  } else {
    place = c.now;
  }
  casts_.push_back(std::move(c));
}

void Casts::cast_to(DType type) {
  each_float([&](Tensor& t, bool is_lent) {
    if (t.dtype() != type && t.dtype() != DType::Float64) replace(t, is_lent, autocast_cast(t, type));
  });
}

void Casts::autocast(Autocast rule) {
  if (rule == Autocast::None) return;
  off_.emplace();
  if (rule == Autocast::Lower) return cast_to(autocast_dtype());
  if (rule == Autocast::Float32) return cast_to(DType::Float32);
  DType widest = autocast_dtype();
  each_float([&](const Tensor& t, bool) {
    if (widest != DType::Float64 && !is_half(t.dtype())) widest = t.dtype();
  });
  if (widest != DType::Float64) cast_to(widest);
}

void Casts::halves_to_floats() {
  std::optional<DType> found;
  bool mixed = false;
  each_float([&](const Tensor& t, bool) {
    mixed |= found && *found != t.dtype();
    found = t.dtype();
  });
  if (!found || mixed || !is_half(*found)) return;
  round_to_ = found;
  each_float([&](Tensor& t, bool is_lent) { replace(t, is_lent, cast(t, DType::Float32)); });
}

bool Casts::begin(const Args& a) {
  if (modes.autocast) autocast(a.row().autocast);
  if (a.row().refuses_halves)
    each_float([&](const Tensor& t, bool) {
      if (is_half(t.dtype()))
        fail(ErrorKind::NotImplemented, "\"", a.row().refuses_halves, "\" not implemented for '",
             scalar_type_name(t.dtype()), "'");
    });
  if (a.computes_halves_as_floats()) halves_to_floats();
  return !casts_.empty();
}

void Casts::write_back() const {
  for (size_t i = casts_.size(); i-- > 0;)  // a tensor may have been cast twice
    if (casts_[i].now.version() != casts_[i].version) copy_(casts_[i].before, casts_[i].now);
}

void Casts::settle(Tensor& result) const {
  if (!result) return;
  for (size_t i = casts_.size(); i-- > 0;)
    if (result.is_same(casts_[i].now)) result = casts_[i].before;
  if (round_to_ && result.dtype() == DType::Float32) result = rounded(result, *round_to_);
}

}  // namespace gradcore
