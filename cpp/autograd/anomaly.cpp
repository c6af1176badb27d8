#include "autograd/anomaly.h"

#include "autograd/accumulate.h"

namespace gradcore {

void set_anomaly(bool on, bool check_nan) {
  anomaly.on = on;
  anomaly.check_nan = check_nan;
  node_watch = on ? +[](Node& n) { anomaly.recorded(n, RunningNode::get()); } : nullptr;
}

void refuse_nan(const Node& node, std::span<const Tensor> results) {
  const NoRecordGuard quiet;
  for (size_t i = 0; i < results.size(); ++i)
    check(!results[i] || !tape_ops.has_nan(results[i]), "Function '", node.name(), "' returned nan values in its ", i,
          "th output.");
}

}  // namespace gradcore
