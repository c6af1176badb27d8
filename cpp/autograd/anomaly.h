// Anomaly mode: backward watches for NaNs and says where the node that failed was recorded. Start at Anomaly.
#pragma once
#include "autograd/node.h"

namespace gradcore {

// The switches, and what the layers above do about it. The mode is the process's, as torch's is.
struct Anomaly {
  std::atomic<bool> on{false}, check_nan{true};
  // For each node recorded while the mode is on; `parent` is the node whose backward records it, or null.
  void (*recorded)(Node& node, Node* parent) = nullptr;
  // Says where a node that failed was recorded.
  void (*explain)(Node& node) = nullptr;
};
inline constinit Anomaly anomaly;

void set_anomaly(bool on, bool check_nan);

// The node that this thread's backward is in, while the mode is on.
class RunningNode {
 public:
  explicit RunningNode(Node* n) : before_(std::exchange(current_, n)) {}
  ~RunningNode() { current_ = before_; }
  RunningNode(const RunningNode&) = delete;
  static Node* get() { return current_; }

 private:
  static thread_local constinit inline Node* current_ = nullptr;
  Node* before_;
};

// Raises for the first of a node's results that holds a NaN.
void refuse_nan(const Node& node, std::span<const Tensor> results);

}  // namespace gradcore
