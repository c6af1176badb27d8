// einsum and tensordot. Start at einsum(): the equation gives each operand a list of labels, one for each of its dims;
// operands are contracted pair by pair, and what is left is summed and permuted.
#include "ops/einsum.h"

#include <algorithm>
#include <bitset>
#include <optional>
#include <utility>
#include <vector>

#include "ops/ops.h"

namespace gradcore {

namespace {

// ---- labels

// Labels are numbers: the letters in the order in which an output that is not written has them (A to Z, a to z), then
// the dims behind an ellipsis, counted from the right.
constexpr int kLetters = 52;
constexpr int kLabels = kLetters + kMaxDims;
constexpr int kEllipsis = -1;
using Labels = std::vector<int>;
using LabelSet = std::bitset<kLabels>;

int label_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  return kEllipsis;
}
std::string text_of(int label) {
  if (label >= kLetters) return "of ellipsis";
  return std::string(1, static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26));
}

LabelSet set_of(const Labels& labels) {
  LabelSet set;
  for (const int label : labels) set.set(static_cast<size_t>(label));
  return set;
}
bool has(const LabelSet& set, int label) { return set[static_cast<size_t>(label)]; }
int place_of(const Labels& labels, int label) {
  return static_cast<int>(std::ranges::find(labels, label) - labels.begin());
}

// ---- the equation

struct Equation {
  std::vector<Labels> operands;
  std::optional<Labels> output;  // none where there is no arrow
};

// Reads the equation from left to right.
class EquationReader {
 public:
  explicit EquationReader(std::string_view text) : text_(text) {}

  Equation read(size_t count) {
    Equation e;
    e.operands.push_back(term(static_cast<int>(0)));
    while (at_ < text_.size() && text_[at_] == ',') {
      ++at_;
      check(e.operands.size() < count, "einsum(): fewer operands were provided than specified in the equation");
      e.operands.push_back(term(static_cast<int>(e.operands.size())));
    }
    check(e.operands.size() == count, "einsum(): more operands were provided than specified in the equation");
    if (at_ < text_.size()) {
      at_ += 2;  // term() stopped at an arrow
      e.output = term(kOutput);
      if (at_ < text_.size()) fail_at(at_);
    }
    return e;
  }

 private:
  static constexpr int kOutput = -1;

  bool ends() const { return at_ == text_.size() || text_[at_] == ',' || text_.substr(at_, 2) == "->"; }
  [[noreturn]] void fail_at(size_t at) const {
    fail("einsum(): invalid subscript given at index ", at, " in the equation string, subscripts must be in [a-zA-Z]");
  }
  Labels term(int operand) {
    Labels labels;
    for (; !ends(); ++at_) {
      const char c = text_[at_];
      if (c == ' ') continue;
      if (c == '.') {
        ellipsis(labels, operand);
        continue;
      }
      const int label = label_of(c);
      if (label == kEllipsis) fail_at(at_);
      labels.push_back(label);
    }
    return labels;
  }
  void ellipsis(Labels& labels, int operand) {
    const bool again = std::ranges::count(labels, kEllipsis) > 0;
    const bool whole = text_.substr(at_, 3) == "...";
    if (operand == kOutput) {
      check(!again, "einsum(): found '.' for output but an ellipsis (...) was already found");
      check(whole, "einsum(): found '.' for output that is not part of any ellipsis (...)");
    }
    check(!again, "einsum(): found '.' for operand ", operand, " for which an ellipsis was already found");
    check(whole, "einsum(): found '.' for operand ", operand, " that is not part of any ellipsis");
    labels.push_back(kEllipsis);
    at_ += 2;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Puts labels in the place of the ellipsis: `count` dims, the rightmost of which has the first one.
Labels written_out(const Labels& labels, int count) {
  Labels out;
  for (const int label : labels) {
    if (label != kEllipsis) out.push_back(label);
    for (int i = count; label == kEllipsis && i-- > 0;) out.push_back(kLetters + i);
  }
  return out;
}

int dims_of_ellipsis(const Labels& labels, const Tensor& t, size_t operand) {
  const int named = static_cast<int>(std::ranges::count_if(labels, [](int label) { return label != kEllipsis; }));
  const bool has_ellipsis = named < static_cast<int>(labels.size());
  check(has_ellipsis || named == t.dim(), "einsum(): the number of subscripts in the equation (", named,
        ") does not match the number of dimensions (", t.dim(), ") for operand ", operand,
        " and no ellipsis was given");
  check(named <= t.dim(), "einsum(): the number of subscripts in the equation (", named,
        ") is more than the number of dimensions (", t.dim(), ") for operand ", operand);
  check(t.dim() <= kMaxDims, "einsum(): operand ", operand, " has more than ", kMaxDims, " dimensions");
  return t.dim() - named;
}

// Without an arrow: the dims of ellipses, then the letters that appear once, in order.
Labels implied_output(const std::vector<Labels>& operands, int ellipsis) {
  int counts[kLetters] = {};
  for (const Labels& labels : operands)
    for (const int label : labels)
      if (label != kEllipsis) ++counts[label];
  Labels output;
  for (int i = ellipsis; i-- > 0;) output.push_back(kLetters + i);
  for (int label = 0; label < kLetters; ++label)
    if (counts[label] == 1) output.push_back(label);
  return output;
}

void check_output(const Labels& output, const LabelSet& known) {
  LabelSet seen;
  for (const int label : output) {
    check(!has(seen, label), "einsum(): output subscript ", text_of(label), " appears more than once in the output");
    check(has(known, label), "einsum(): output subscript ", text_of(label),
          " does not appear in the equation for any input operand");
    seen.set(static_cast<size_t>(label));
  }
}

// ---- contraction

struct Term {
  Tensor tensor;
  Labels labels;  // of its dims, no two alike
};

// t with its repeated labels as diagonals.
Term without_repeats(Term term, size_t operand) {
  for (int i = 0; i < static_cast<int>(term.labels.size()); ++i) {
    const int label = term.labels[static_cast<size_t>(i)];
    const auto next = std::find(term.labels.begin() + i + 1, term.labels.end(), label);
    if (next == term.labels.end()) continue;
    const int j = static_cast<int>(next - term.labels.begin());
    check(term.tensor.size(i) == term.tensor.size(j), "einsum(): subscript ", text_of(label),
          " is repeated for operand ", operand, " but the sizes don't match, ", term.tensor.size(j),
          " != ", term.tensor.size(i));
    term.tensor = movedim(diagonal(term.tensor, 0, i, j), Dims{-1}, Dims{i});
    term.labels.erase(next);
    --i;  // there may be a third one
  }
  return term;
}

// How large each label is; dims of one element broadcast.
class Sizes {
 public:
  Sizes() { std::ranges::fill(sizes_, 1); }
  void add(const Term& term, size_t operand) {
    for (size_t i = 0; i < term.labels.size(); ++i) {
      int64_t& known = sizes_[term.labels[i]];
      const int64_t size = term.tensor.size(static_cast<int>(i));
      check(known == size || known == 1 || size == 1, "einsum(): subscript ", text_of(term.labels[i]), " has size ",
            size, " for operand ", operand, " which does not broadcast with previously seen size ", known);
      if (known == 1) known = size;
    }
  }
  // The term without the dims along which it is broadcast.
  Term squeezed(Term term) const {
    for (size_t i = term.labels.size(); i-- > 0;) {
      const int dim = static_cast<int>(i);
      if (term.tensor.size(dim) == sizes_[term.labels[i]]) continue;
      term.tensor = squeeze(term.tensor, Dims{dim});
      term.labels.erase(term.labels.begin() + dim);
    }
    return term;
  }

 private:
  int64_t sizes_[kLabels];
};

// The term with its dims in this order, which lists all of its labels.
Tensor permuted(const Term& term, const Labels& order) {
  if (term.labels == order) return term.tensor;
  Dims dims;
  for (const int label : order) dims.push_back(place_of(term.labels, label));
  return permute(term.tensor, dims);
}

Term summed_but(Term term, const LabelSet& kept) {
  Dims dims;
  Labels labels;
  for (size_t i = 0; i < term.labels.size(); ++i) {
    if (has(kept, term.labels[i]))
      labels.push_back(term.labels[i]);
    else
      dims.push_back(static_cast<int64_t>(i));
  }
  if (dims.empty()) return term;
  return {sum(term.tensor, dims), labels};
}

// Without the dims of size one that `sums` names: they need no sum.
Term without_ones(Term term, const LabelSet& sums) {
  Dims dims;
  Labels labels;
  for (size_t i = 0; i < term.labels.size(); ++i) {
    if (has(sums, term.labels[i]) && term.tensor.size(static_cast<int>(i)) == 1)
      dims.push_back(static_cast<int64_t>(i));
    else
      labels.push_back(term.labels[i]);
  }
  if (dims.empty()) return term;
  return {squeeze(term.tensor, dims), labels};
}

Labels joined(std::initializer_list<const Labels*> parts) {
  Labels out;
  for (const Labels* part : parts) out.insert(out.end(), part->begin(), part->end());
  return out;
}

// The term as a matrix, or as a batch of them: dims (batch..., first..., second...), each group as one. A group without
// labels is left out where `second` is empty, so that the matrix is a vector.
Tensor grouped(const Term& term, const Labels& batch, const Labels& first, const Labels& second, bool vector) {
  const Tensor t = permuted(term, joined({&batch, &first, &second}));
  const auto dims = t.shape().span();
  const auto size = [&](size_t begin, size_t count) { return numel_of(dims.subspan(begin, count)); };
  Dims shape;
  if (!batch.empty()) shape.push_back(size(0, batch.size()));
  if (!vector || !first.empty()) shape.push_back(size(batch.size(), first.size()));
  if (!vector || !second.empty()) shape.push_back(size(batch.size() + first.size(), second.size()));
  return t.shape() == shape ? t : reshape(t, shape);
}

// Elementwise, each broadcast along the labels that it lacks.
Term multiplied(const Term& a, const Term& b) {
  Term out{{}, a.labels};
  const LabelSet known = set_of(a.labels);
  for (const int label : b.labels)
    if (!has(known, label)) out.labels.push_back(label);
  const auto spread = [&](const Term& term) {
    Labels order;
    for (const int label : out.labels)
      if (place_of(term.labels, label) < static_cast<int>(term.labels.size())) order.push_back(label);
    Tensor t = permuted(term, order);
    for (int i = 0; i < static_cast<int>(out.labels.size()); ++i)
      if (place_of(order, out.labels[static_cast<size_t>(i)]) == static_cast<int>(order.size())) t = unsqueeze(t, i);
    return t;
  };
  out.tensor = mul(spread(a), spread(b));
  return out;
}

// The place in the output of the first of these labels that is there.
int first_place(const Term& term, const LabelSet& others, const Labels& output) {
  int first = static_cast<int>(output.size());
  for (const int label : term.labels)
    if (!has(others, label)) first = std::min(first, place_of(output, label));
  return first;
}

// The product of two terms, summed over the labels that nobody needs later.
Term contracted(Term a, Term b, const LabelSet& needed, const Labels& output) {
  // Rows and columns in the order of the output, so that it is contiguous.
  if (first_place(b, set_of(a.labels), output) < first_place(a, set_of(b.labels), output)) std::swap(a, b);
  a = summed_but(std::move(a), needed | set_of(b.labels));
  b = summed_but(std::move(b), needed | set_of(a.labels));
  // Where nothing else is summed the product is elementwise, and takes two dtypes, as in torch.
  const LabelSet sums = set_of(a.labels) & set_of(b.labels) & ~needed;
  a = without_ones(std::move(a), sums);
  b = without_ones(std::move(b), sums);
  const LabelSet of_a = set_of(a.labels), of_b = set_of(b.labels);
  Labels batch, left, inner, right;
  for (const int label : a.labels) (!has(of_b, label) ? left : has(needed, label) ? batch : inner).push_back(label);
  for (const int label : b.labels)
    if (!has(of_a, label)) right.push_back(label);
  if (inner.empty()) return multiplied(a, b);

  const bool vectors = batch.empty();
  const Tensor x = grouped(a, batch, left, inner, vectors), y = grouped(b, batch, inner, right, vectors);
  const Tensor product = vectors ? matmul(x, y) : bmm(x, y);
  Term out{product, joined({&batch, &left, &right})};
  Dims shape;
  for (const int label : out.labels) {
    const Term& from = has(of_a, label) ? a : b;
    shape.push_back(from.tensor.size(place_of(from.labels, label)));
  }
  if (product.shape() != shape) out.tensor = view(product, shape);
  return out;
}

// Takes the two terms of each step out of the list and puts their product where the next step looks for it.
Term contract_all(std::vector<Term> terms, const Labels& output, const Dims& path) {
  const auto needed_by_others = [&] {
    LabelSet needed = set_of(output);
    for (const Term& term : terms) needed |= set_of(term.labels);
    return needed;
  };
  const auto take = [&](size_t i) {
    Term term = std::move(terms[i]);
    terms.erase(terms.begin() + static_cast<int64_t>(i));
    return term;
  };
  for (int step = 0; terms.size() > 1; ++step) {
    size_t i = 0, j = 1;
    if (!path.empty()) {
      const int64_t low = std::min(path[2 * step], path[2 * step + 1]);
      const int64_t high = std::max(path[2 * step], path[2 * step + 1]);
      check(low >= 0 && low < high && high < static_cast<int64_t>(terms.size()), "einsum(): invalid path");
      i = static_cast<size_t>(low);
      j = static_cast<size_t>(high);
    }
    Term b = take(j), a = take(i);
    Term product = contracted(std::move(a), std::move(b), needed_by_others(), output);
    terms.insert(path.empty() ? terms.begin() : terms.end(), std::move(product));
  }
  return summed_but(std::move(terms[0]), set_of(output));
}

}  // namespace

Tensor einsum(std::string_view equation, std::span<const Tensor> operands, const Dims& path) {
  check(!operands.empty(), "einsum(): must provide at least one operand");
  check(path.empty() || path.size() == 2 * (static_cast<int>(operands.size()) - 1), "einsum(): invalid path");
  const Equation read = EquationReader(equation).read(operands.size());
  std::vector<int> ellipses;
  for (size_t i = 0; i < operands.size(); ++i) ellipses.push_back(dims_of_ellipsis(read.operands[i], operands[i], i));
  const int ellipsis = std::ranges::max(ellipses);

  Sizes sizes;
  LabelSet known;
  std::vector<Term> terms;
  for (size_t i = 0; i < operands.size(); ++i) {
    terms.push_back(without_repeats({operands[i], written_out(read.operands[i], ellipses[i])}, i));
    sizes.add(terms.back(), i);
    known |= set_of(terms.back().labels);
  }
  const Labels output = read.output ? written_out(*read.output, ellipsis) : implied_output(read.operands, ellipsis);
  check_output(output, known);
  for (Term& term : terms) term = sizes.squeezed(std::move(term));
  const Term result = contract_all(std::move(terms), output, path);
  const Tensor out = permuted(result, output);
  return out.is_same(operands[0]) ? alias(out) : out;  // a new tensor, as in torch
}

// ---- tensordot

namespace {

// The dims that are not in `dims`, then `dims`; or the other way round.
Dims order_for(int ndim, const Dims& dims, bool inner_last) {
  std::bitset<kMaxDims> is_inner;
  Dims inner, outer;
  for (const int64_t dim : dims) {
    const int d = wrap_dim(dim, ndim);
    check(!is_inner[static_cast<size_t>(d)], "dim ", d, " appears multiple times in the list of dims");
    is_inner.set(static_cast<size_t>(d));
    inner.push_back(d);
  }
  for (int d = 0; d < ndim; ++d)
    if (!is_inner[static_cast<size_t>(d)]) outer.push_back(d);
  Dims& first = inner_last ? outer : inner;
  for (const int64_t d : inner_last ? inner : outer) first.push_back(d);
  return first;
}

// The pairs of contracted dims as the larger operand has them in memory: their order is free, and one that follows the
// strides needs no copy.
std::pair<Dims, Dims> in_memory_order(const Tensor& a, const Tensor& b, Dims dims_a, Dims dims_b) {
  const bool by_a = a.numel() >= b.numel();
  const Tensor& larger = by_a ? a : b;
  const Dims& leads = by_a ? dims_a : dims_b;
  const auto stride = [&](int i) { return larger.stride(wrap_dim(leads[i], larger.dim())); };
  for (int i = 1; i < dims_a.size(); ++i)
    for (int j = i; j > 0 && stride(j - 1) < stride(j); --j) {
      std::swap(dims_a[j - 1], dims_a[j]);
      std::swap(dims_b[j - 1], dims_b[j]);
    }
  return {dims_a, dims_b};
}

}  // namespace

Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& dims_a, const Dims& dims_b) {
  check(dims_a.size() == dims_b.size(), "both dimension lists should have same length");
  check(a.dtype() == b.dtype(), "both inputs should have same dtype");
  check(a.dim() <= kMaxDims && b.dim() <= kMaxDims, "tensordot: more than ", kMaxDims, " dimensions");
  Tensor x = a, y = b;
  int64_t inner = 1;
  for (int i = 0; i < dims_a.size(); ++i) {
    const int d = wrap_dim(dims_a[i], a.dim(), false), e = wrap_dim(dims_b[i], b.dim(), false);
    const int64_t m = a.size(d), n = b.size(e);
    check(m == n || m == 1 || n == 1, "contracted dimensions need to match, but first has size ", m, " in dim ",
          dims_a[i], " and second has size ", n, " in dim ", dims_b[i]);
    // One element is multiplied with all of the other's, which is to say with their sum.
    if (m == 1 && n != 1) y = sum(y, Dims{e}, true, y.dtype());
    if (n == 1 && m != 1) x = sum(x, Dims{d}, true, x.dtype());
    inner *= n == 1 || m == 1 ? 1 : m;
  }
  const auto [inner_a, inner_b] = in_memory_order(x, y, dims_a, dims_b);
  const Tensor left = permute(x, order_for(x.dim(), inner_a, true));
  const Tensor right = permute(y, order_for(y.dim(), inner_b, false));
  const int outer_a = a.dim() - dims_a.size(), outer_b = b.dim() - dims_b.size();
  Dims shape;
  int64_t rows = 1, columns = 1;
  for (int i = 0; i < outer_a; ++i) {
    shape.push_back(left.size(i));
    rows *= left.size(i);
  }
  for (int i = 0; i < outer_b; ++i) {
    shape.push_back(right.size(dims_b.size() + i));
    columns *= shape.back();
  }
  if (shape.empty()) return view(dot(reshape(left, Dims{inner}), reshape(right, Dims{inner})), shape);
  return view(mm(reshape(left, Dims{rows, inner}), reshape(right, Dims{inner, columns})), shape);
}

}  // namespace gradcore
