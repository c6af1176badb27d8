// The step of one update rule over many parameters, as an instruction. Start at RuleStep.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "core/multi_tensor.h"
#include "kernels/table.h"
#include "optim/step.h"

namespace gradcore {

// The numbers that are remembered of a parameter: the step count first. SGD remembers none.
template <class Rule> constexpr auto number_names() {
  if constexpr (requires { Rule::scalars; })
    return std::to_array(Rule::scalars);
  else
    return std::array<const char*, 0>();
}
template <class Rule> constexpr size_t kNumberCount = number_names<Rule>().size();
template <class Rule> using Numbers = std::array<StateNumber, kNumberCount<Rule>>;

// Counts the step and lets the rule work out what follows from it. Afterwards `numbers` is what to remember.
template <class Rule> void begin(Rule& rule, Numbers<Rule>& numbers, bool first) {
  if constexpr (kNumberCount<Rule> == 0) {
    rule.begin(0, first);
  } else {
    numbers[0].value += 1;
    const bool single = default_dtype() != DType::Float64;
    [&]<size_t... I>(std::index_sequence<0, I...>) {
      formulas::StateNumber kept[] = {{numbers[0].value, single, single},
                                      {numbers[I].value, numbers[I].single, single}...};
      rule.begin(numbers[0].value, first, kept[I]...);
      ((numbers[I].value = kept[I]), ...);
    }(std::make_index_sequence<kNumberCount<Rule>>());
  }
}

// A rule whose numbers are worked out for this step, and what to remember of them.
template <class Rule> struct BegunRule {
  Rule rule;
  Numbers<Rule> before, after;
  const Rule* options;
  bool first;
};

// A parameter with its arrays, and the tensors that hold its numbers.
template <class Rule> class RuleItem : public StepItem {
 public:
  using NumberTensors = std::array<Tensor, kNumberCount<Rule>>;
  // `first`: its state is new.
  RuleItem(std::span<Tensor> arrays, NumberTensors&& numbers, const Rule* options, bool first)
      : StepItem(arrays, kernels().rules.of[rule_index<Rule>]),
        numbers_(std::move(numbers)),
        options_(options),
        first_(first) {}

  void prepare(bool apart) {
    for (size_t i = 0; i < kNumberCount<Rule>; ++i) check_state_number(numbers_[i], number_names<Rule>()[i]);
    StepItem::prepare(apart);
  }
  void finish() const {
    StepItem::finish();
    for (const Tensor& t : numbers_) t.bump_version();
  }

 private:
  template <class> friend class RuleStep;
  NumberTensors numbers_;
  const Rule* options_;
  const BegunRule<Rule>* begun_ = nullptr;
  bool first_;
};

// One step of all items, after prepare(): reads the numbers, works out what follows from them, updates the arrays in
// one parallel pass, and stores the numbers.
template <class Rule> class RuleStep final : public StepInstruction {
 public:
  static constexpr bool kOwnsAll = false;
  explicit RuleStep(std::span<RuleItem<Rule>> items) : items_(items) {}
  const char* name() const { return "step"; }
  bool fails() const { return true; }
  void run() {
    std::vector<std::unique_ptr<BegunRule<Rule>>> begun;
    for (RuleItem<Rule>& item : items_) {
      const Numbers<Rule> now = numbers_of(item);
      // Parameters nearly always share their numbers with the one before.
      if (begun.empty() || !continues(*begun.back(), item, now)) begun.push_back(begin_for(item, now));
      item.begun_ = begun.back().get();
      item.set_rule(&item.begun_->rule);
    }
    for_each_slice(std::span<const RuleItem<Rule>>(items_),
                   [](const RuleItem<Rule>& item, int64_t first, int64_t last) { item.run(first, last); });
    for (const RuleItem<Rule>& item : items_)
      for (size_t i = 0; i < kNumberCount<Rule>; ++i) write_number(item.numbers_[i], item.begun_->after[i].value);
  }
  template <class F> void touches(F&& f) const {
    for (const RuleItem<Rule>& item : items_) {
      item.touches(f);
      for (const Tensor& t : item.numbers_) f(touch_of(t.window(), true));
    }
  }

 private:
  static Numbers<Rule> numbers_of(const RuleItem<Rule>& item) {
    Numbers<Rule> out;
    for (size_t i = 0; i < kNumberCount<Rule>; ++i) out[i] = read_number(item.numbers_[i]);
    return out;
  }
  static bool continues(const BegunRule<Rule>& rule, const RuleItem<Rule>& item, const Numbers<Rule>& now) {
    return rule.options == item.options_ && rule.first == item.first_ && rule.before == now;
  }
  static std::unique_ptr<BegunRule<Rule>> begin_for(const RuleItem<Rule>& item, const Numbers<Rule>& now) {
    auto begun = std::make_unique<BegunRule<Rule>>(*item.options_, now, now, item.options_, item.first_);
    begin(begun->rule, begun->after, item.first_);
    return begun;
  }

  std::span<RuleItem<Rule>> items_;
};

}  // namespace gradcore
