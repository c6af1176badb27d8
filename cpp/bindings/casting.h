// Arguments of named ops that are cast on the way in, and results on the way out. Start at Casts.
//
// Note [Computed as floats]
// An op that has no kernels for float16 and bfloat16 gets float32 in their place, and what comes out is rounded once to
// what came in. The casts are recorded, so that the op's gradients are computed in float32 as well. Which ops take
// halves as they are is said where their family is registered, or in their row. Where halves meet other floats nothing
// is cast, and the op says what it thinks of that.
//
// autocast casts in the same place, before that: each row says what it asks for.
#pragma once
#include <vector>

#include "bindings/args.h"
#include "ops/autocast.h"

namespace gradcore {

class Casts {
 public:
  Casts() = default;
  ~Casts();
  Casts(const Casts&) = delete;

  // A tensor that somebody else keeps alive, and that the op is about to read.
  void add(Tensor& lent);
  void add(std::vector<Tensor>& list) { lists_[list_count_++] = &list; }

  // Casts as the row says. False where nothing was cast.
  bool begin(const Args& a);
  // What was written to a tensor that was cast goes to the tensor itself.
  void write_back() const;

  void settle(Tensor& result) const;
  void settle(std::vector<Tensor>& results) const {
    for (Tensor& t : results) settle(t);
  }
  void settle(std::pair<Tensor, Tensor>& results) const {
    settle(results.first);
    settle(results.second);
  }

 private:
  static constexpr int kMost = 16;
  struct Cast {
    Tensor* place;
    bool is_lent;
    Tensor before, now;
    uint32_t version;
  };

  template <class F> void each_float(F&& f);
  void replace(Tensor& place, bool is_lent, Tensor by);
  void cast_to(DType type);
  void autocast(Autocast rule);
  void halves_to_floats();

  Tensor* lent_[kMost];
  std::vector<Tensor>* lists_[4];
  int lent_count_ = 0, list_count_ = 0;
  std::vector<Cast> casts_;
  std::optional<DType> round_to_;
  std::optional<AutocastOff> off_;  // inside of an op that casts
};

}  // namespace gradcore
