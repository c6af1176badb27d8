// What a formula says about itself besides its mathematics.
#pragma once
#include <cstdint>

namespace gradcore {

// Dtypes that an op accepts, after promotion.
enum TypeSet : uint8_t {
  kBools = 1,
  kInts = 2,
  kFloats = 4,
  kNumbers = kInts | kFloats,
  kAllTypes = 7,
  kWideUnsigned = 8,  // uint16, uint32 and uint64 as well: whose bits are those of the signed result
};

enum class ResultType : uint8_t {
  Same,   // the promoted type of the operands
  Float,  // integers and bools become the default float first
  Bool,   // computed in the promoted type, answered as bool
};

constexpr int kMaxParams = 3;  // numbers that a formula takes after its operands

struct OpInfo {
  const char* name;            // torch's name
  const char* node = nullptr;  // grad_fn's name; null: no gradient
  ResultType result = ResultType::Same;
  uint8_t types = kFloats;
  int mask = -1;                         // the operand that is a bool whatever the others are
  const char* no_bool = nullptr;         // what to say to a bool tensor, where torch has its own words
  const char* node_of_tensor = nullptr;  // grad_fn's name when the last operand is a tensor, where torch has two
  const char* node_of_number = nullptr;  // and when the first is a number, where torch has three
  const char* node_in_place[2] = {};  // of a comparison, which is recorded in place alone: with a number, with a tensor
  bool bare_numbers = false;          // next_functions has no entry for an operand that is a number
  bool dense = false;                 // the result is contiguous whatever the operands are
  const char* operands[3] = {"self", "other", nullptr};  // torch's names for what its node saves of them
  const char* parameters[kMaxParams] = {};               // and of the numbers after them
  bool bools_apart = false;                              // bools are not computed as the integers 0 and 1
  bool nan_is_none = false;                              // a parameter that is NaN was not given
  bool detached = false;                                 // the result never requires grad
  bool exact_numbers = false;                            // torch rounds no number beside a half (as in x * 0.1)
  bool rounded_parameters = false;                       // but does so with a parameter
  bool no_halves = false;                                // torch has no kernel for them
  bool repeats = false;      // an operand is often one element for a whole row: there are loops for that
  bool small_loops = false;  // integers and floats narrower than 4 bytes have loops of their own: Note [Narrow types]
  bool near = false;         // most arguments allow a short way: Note [Near values]
  bool one_by_one = false;   // in double, by a function that is compiled once; its derivatives by ops
  double fixed = 0;          // what the first parameter is, where the formula has it built in
  double cost = 0.25;        // about the nanoseconds of an element, for deciding on threads
};

}  // namespace gradcore
