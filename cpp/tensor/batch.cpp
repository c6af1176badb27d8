// Read Note [Batch dims] in batch.h.
#include "tensor/batch.h"

#include <atomic>
#include <vector>

namespace gradcore {

int Levels::find(int64_t id) const {
  for (int i = 0; i < ids.size(); ++i)
    if (ids[i] == id) return i;
  return -1;
}

void Levels::add(const Tensor& t) {
  if (!t.defined() || !t->batch) return;
  const Batch& b = *t->batch;
  for (int i = 0; i < b.levels.size(); ++i) {
    if (find(b.levels[i]) >= 0) continue;
    int at = 0;
    while (at < ids.size() && ids[at] < b.levels[i]) ++at;
    ids.insert(at, b.levels[i]);
    sizes.insert(at, b.sizes[i]);
  }
}

Levels levels_of(std::initializer_list<const Tensor*> tensors) {
  Levels all;
  for (const Tensor* t : tensors) all.add(*t);
  return all;
}
Levels levels_of(std::span<const Tensor> tensors) {
  Levels all;
  for (const Tensor& t : tensors) all.add(t);
  return all;
}

int Batch::find(int64_t level) const {
  for (int i = 0; i < levels.size(); ++i)
    if (levels[i] == level) return i;
  return -1;
}

static int place_of(const Batch* batch, int64_t level) { return batch ? batch->find(level) : -1; }

Tensor physical(const Tensor& t, const Levels& levels, int dims) {
  Dims shape = levels.sizes, strides(levels.count(), 0);
  for (int i = 0; i < levels.count(); ++i)
    if (const int at = place_of(t->batch.get(), levels.ids[i]); at >= 0) strides[i] = t->batch->strides[at];
  for (int i = t.dim(); i < dims; ++i) {
    shape.push_back(1);
    strides.push_back(1);
  }
  for (int i = 0; i < t.dim(); ++i) {
    shape.push_back(t.size(i));
    strides.push_back(t.stride(i));
  }
  return make_window(t, shape, strides, Ref<Batch>());
}

static Dims rest(const Dims& dims, int from) { return Dims(dims.span().subspan(static_cast<size_t>(from))); }
static Dims first(const Dims& dims, int n) { return Dims(dims.span().first(static_cast<size_t>(n))); }

Tensor hide(const Tensor& t, const Levels& levels) {
  const int n = levels.count();
  if (n == 0) return t;
  auto batch = Ref<Batch>::adopt(new Batch);
  batch->levels = levels.ids;
  batch->sizes = levels.sizes;
  batch->strides = first(t.strides(), n);
  return make_window(t, rest(t.shape(), n), rest(t.strides(), n), std::move(batch));
}

Tensor empty_batched(const Levels& levels, const Dims& shape, DType dtype) {
  if (levels.none()) return empty(shape, dtype);
  Dims all = levels.sizes;
  for (int64_t d : shape) all.push_back(d);
  return hide(empty(all, dtype), levels);
}

Tensor empty_strided_batched(const Levels& levels, const Dims& shape, const Dims& strides, DType dtype) {
  if (levels.none()) return empty_strided(shape, strides, dtype);
  Dims all = levels.sizes, steps(levels.count(), 0);
  int64_t step = 1;  // of the innermost level: past all that one sample reaches over
  for (int i = 0; i < shape.size(); ++i) step += shape[i] > 0 ? (shape[i] - 1) * strides[i] : 0;
  for (int i = levels.count() - 1; i >= 0; --i) {
    steps[i] = step;
    step *= levels.sizes[i];
  }
  for (int i = 0; i < shape.size(); ++i) {
    all.push_back(shape[i]);
    steps.push_back(strides[i]);
  }
  return hide(empty_strided(all, steps, dtype), levels);
}

void check_levels(const Tensor& to, const Levels& levels) {
  for (int64_t id : levels.ids)
    check(place_of(to->batch.get(), id) >= 0,
          "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in "
          "extra_args that has more elements than `self`. This happened due to `other` being vmapped over but `self` "
          "not being vmapped over in a vmap. Please try to use out-of-place operators instead of inplace arithmetic.");
}

Tensor with_dim_hidden(const Tensor& t, int dim, int64_t level) {
  auto batch = Ref<Batch>::adopt(new Batch);
  if (t->batch) *batch = Batch(*t->batch);
  int at = 0;
  while (at < batch->levels.size() && batch->levels[at] < level) ++at;
  batch->levels.insert(at, level);
  batch->sizes.insert(at, t.size(dim));
  batch->strides.insert(at, t.stride(dim));
  Dims shape = t.shape(), strides = t.strides();
  shape.erase(dim);
  strides.erase(dim);
  return make_window(t, shape, strides, std::move(batch));
}

Tensor with_level_shown(const Tensor& t, int64_t level, int dim, int64_t size) {
  Dims shape = t.shape(), strides = t.strides();
  const int at = place_of(t->batch.get(), level);
  shape.insert(dim, at < 0 ? size : t->batch->sizes[at]);
  strides.insert(dim, at < 0 ? 0 : t->batch->strides[at]);
  if (at < 0) {
    checked_numel(shape);
    return make_window(t, shape, strides);
  }
  Ref<Batch> batch;
  if (t->batch->levels.size() > 1) {
    batch = Ref<Batch>::adopt(new Batch(*t->batch));
    batch->levels.erase(at);
    batch->sizes.erase(at);
    batch->strides.erase(at);
  }
  return make_window(t, shape, strides, std::move(batch));
}

namespace {
struct Open {
  int64_t id, size;
  Randomness randomness;
  bool left = false;
};
thread_local std::vector<Open> open_levels;

void find_innermost() {
  batch_level = 0;
  for (const Open& o : open_levels)
    if (!o.left) batch_level = o.id;
}
void set_left(int64_t level, bool left) {
  for (Open& o : open_levels)
    if (o.id == level) o.left = left;
  find_innermost();
}
}  // namespace

int64_t enter_batch_level(int64_t size, Randomness randomness) {
  static constinit std::atomic<int64_t> last{0};
  open_levels.push_back({++last, size, randomness});
  return batch_level = open_levels.back().id;
}

void exit_batch_level() {
  if (!open_levels.empty()) open_levels.pop_back();
  find_innermost();
}

void leave_batch_level(int64_t level) { set_left(level, true); }
void return_to_batch_level(int64_t level) { set_left(level, false); }

OutsideOfBatchLevels::OutsideOfBatchLevels() {
  for (const Open& o : open_levels)
    if (!o.left) left_.push_back(o.id);
  for (int64_t level : left_) leave_batch_level(level);
}
OutsideOfBatchLevels::~OutsideOfBatchLevels() {
  for (int64_t level : left_) return_to_batch_level(level);
}

bool is_open(int64_t level) {
  for (const Open& o : open_levels)
    if (o.id == level) return true;
  return false;
}

Levels differing_levels() {
  Levels different;
  for (const Open& o : open_levels) {
    if (o.left) continue;
    if (o.randomness == Randomness::Error)
      fail(
          "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
          "randomness flags on vmap or perform the randomness operation out of vmap");
    if (o.randomness == Randomness::Same) continue;
    different.ids.push_back(o.id);
    different.sizes.push_back(o.size);
  }
  return different;
}

}  // namespace gradcore
