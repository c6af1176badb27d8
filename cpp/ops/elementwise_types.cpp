#include "ops/elementwise_types.h"

namespace gradcore {

namespace {

struct TypeState {
  bool any = false;
  DType type = DType::Bool;
  void add(DType t) {
    type = any ? promote_types(type, t) : t;
    any = true;
  }
};

DType combine(const TypeState& dims, const TypeState& zeros, const TypeState& numbers) {
  const auto join = [](const TypeState& high, const TypeState& low) {
    TypeState s = high;
    if (!low.any) return s;
    if (!high.any) return low;
    if (category(low.type) > category(high.type)) s.type = promote_types(high.type, low.type);
    return s;
  };
  return join(join(dims, zeros), numbers).type;
}

}  // namespace

static Types types_for(const ElementwiseOp& op, DType t) {
  if (op.info->result == ResultType::Float && !is_floating(t)) t = default_dtype();
  return {t, op.info->result == ResultType::Bool ? DType::Bool : t};
}

Types types_of(const ElementwiseOp& op, std::span<const Operand> in) {
  DType t;
  if (op.info->mask < 0) {
    t = result_type(in);
  } else {
    const Operand values[2] = {in[op.info->mask == 0 ? 1 : 0], in[2]};
    t = result_type(values);
  }
  return types_for(op, t);
}

Types types_of(const ElementwiseCall& c) {
  return c.compute ? types_for(*c.op, *c.compute) : types_of(*c.op, c.operands());
}

DType result_type(std::span<const Operand> in) {
  const auto same_type = [&]() -> bool {
    for (size_t k = 1; k < in.size(); ++k)
      if (!in[k].is_tensor() || in[k].tensor->dtype() != in[0].tensor->dtype()) return false;
    return true;
  };
  if (in[0].is_tensor() && same_type()) return in[0].tensor->dtype();
  TypeState dims, zeros, numbers;
  for (const Operand& o : in) {
    if (!o.is_tensor())
      numbers.add(o.scalar.dtype(default_dtype()));
    else
      (o.tensor->dim() ? dims : zeros).add(o.tensor->dtype());
  }
  return combine(dims, zeros, numbers);
}

}  // namespace gradcore
