// unfold() and fold() of nn.functional, each the other's transpose.
#include "ops/columns.h"

#include <algorithm>
#include <string>

#include "kernels/portable/columns.h"
#include "ops/batching.h"
#include "ops/ops.h"
#include "ops/record.h"
#include "tensor/door.h"

namespace gradcore {

namespace {

struct Windows {
  Dims size, kernel, dilation, padding, stride, out;
  int64_t taps() const { return checked_numel(kernel); }
  int64_t count() const { return checked_numel(out); }
};

// "(2, 3)"
std::string text_of(const Dims& pair) { return str_cat("(", pair[0], ", ", pair[1], ")"); }

void check_pair(const Dims& pair, const char* name) {
  check(pair.size() == 2, "It is expected ", name, " equals to 2, but got size ", pair.size());
  for (const int64_t n : pair) check(n <= INT32_MAX, name, " of ", n, " is too large");
}

Windows windows_of(const Dims& size, const Dims& kernel, const Dims& dilation, const Dims& padding,
                   const Dims& stride) {
  check_pair(kernel, "kernel_size");
  check_pair(dilation, "dilation");
  check_pair(padding, "padding");
  check_pair(stride, "stride");
  const auto positive = [](const Dims& all, const char* name) {
    check(std::min(all[0], all[1]) > 0, name, " should be greater than zero, but got ", name, ": ", all);
  };
  positive(kernel, "kernel size");
  positive(dilation, "dilation");
  check(std::min(padding[0], padding[1]) >= 0, "padding should be non-negative, but got padding: ", padding);
  positive(stride, "stride");
  Windows w{size, kernel, dilation, padding, stride, Dims(2)};
  for (int i = 0; i < 2; ++i) {
    check(size[i] <= INT32_MAX, "a size of ", size[i], " is too large");
    const int64_t whole = std::max<int64_t>(size[i], -INT32_MAX);  // fold() is told any, and refuses below
    const int64_t span = whole + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1;
    w.out[i] = span < 0 ? (span - stride[i] + 1) / stride[i] + 1 : span / stride[i] + 1;  // rounded down
  }
  return w;
}

// The kernels on (..., channels, size) and (..., channels * taps, windows).
Tensor launched(const Tensor& t, const Windows& w, bool unfolds) {
  const Tensor dense = contiguous(t);
  Dims shape = t.shape();
  const int last = shape.size() - (unfolds ? 3 : 2);  // of the channels
  int64_t planes = 1;
  for (int i = 0; i <= last; ++i) planes *= shape[i];
  if (unfolds) {
    shape[last] = checked_numel(Dims{shape[last], w.taps()});
    shape.erase(last + 2);
    shape[last + 1] = w.count();
  } else {
    planes /= w.taps();
    shape[last] /= w.taps();
    shape[last + 1] = w.size[0];
    shape.push_back(w.size[1]);
  }
  checked_numel(shape);
  const Tensor out = empty(shape, t.dtype());
  using Args = portable::ColumnsArgs;
  Kernel<Args> k(unfolds ? "unfold" : "fold", unfolds ? portable::unfold : portable::fold);
  k.args.planes = planes;
  k.args.dtype = t.dtype();
  for (int i = 0; i < 2; ++i) {
    k.args.size[i] = w.size[i], k.args.kernel[i] = w.kernel[i], k.args.stride[i] = w.stride[i];
    k.args.padding[i] = w.padding[i], k.args.dilation[i] = w.dilation[i], k.args.out[i] = w.out[i];
  }
  launch(k.reads(&Args::from, dense.window()).writes(&Args::to, out.window()));
  return out;
}

Tensor recorded(const Tensor& t, const Windows& w, bool unfolds);

struct ColumnsVjp {
  Windows w;
  bool unfolds;
  const char* name() const { return unfolds ? "Im2ColBackward0" : "Col2ImBackward0"; }
  SavedFields fields() {
    return {{"kernel_size", w.kernel}, {"dilation", w.dilation}, {"padding", w.padding}, {"stride", w.stride}};
  }
  void vjp(Node&, std::span<Tensor> g, std::span<Tensor> out) { out[0] = recorded(g[0], w, !unfolds); }
};

Tensor recorded(const Tensor& t, const Windows& w, bool unfolds) {
  const Tensor out = batched_in_front([&](int, const Tensor& p) { return launched(p, w, unfolds); }, t);
  if (should_record(t)) record(out, {&t}, ColumnsVjp{w, unfolds});
  return out;
}

void check_dtype(const Tensor& t, const char* kernel) {
  check(is_floating(t.dtype()) || t.dtype() == DType::Bool, ErrorKind::NotImplemented, "\"", kernel,
        "\" not implemented for '", scalar_type_name(t.dtype()), "'");
}

}  // namespace

Tensor unfold_windows(const Tensor& x, const Dims& kernel, const Dims& dilation, const Dims& padding,
                      const Dims& stride) {
  bool fits = x.dim() == 3 || x.dim() == 4;
  for (int i = 1; i < x.dim(); ++i) fits &= x.size(i) != 0;
  const Dims size = fits ? Dims{x.size(x.dim() - 2), x.size(x.dim() - 1)} : Dims{1, 1};
  const Windows w = windows_of(size, kernel, dilation, padding, stride);
  wrap_dim(-3, x.dim(), false);
  check(fits,
        "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but "
        "got: ",
        x.shape());
  check(std::min(w.out[0], w.out[1]) > 0, "Given input with spatial size ", text_of(w.size),
        ", kernel_size=", text_of(kernel), ", dilation=", text_of(dilation), ", padding=", text_of(padding),
        ", stride=", text_of(stride), ", calculated shape of the array of sliding blocks as ", text_of(w.out),
        ", which is too small (non-positive)");
  check_dtype(x, "im2col_out_cpu");
  return recorded(x, w, true);
}

Tensor fold_windows(const Tensor& x, const Dims& size, const Dims& kernel, const Dims& dilation, const Dims& padding,
                    const Dims& stride) {
  check_pair(size, "output_size");
  const Windows w = windows_of(size, kernel, dilation, padding, stride);
  const int last = x.dim() - 1;
  check((x.dim() == 2 || x.dim() == 3) && x.size(last) != 0 && x.size(last - 1) != 0,
        "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, "
        "but got: ",
        x.shape());
  check(x.size(last - 1) % w.taps() == 0,
        "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=",
        x.size(last - 1), " and kernel_size=", text_of(kernel), ".");
  const bool any = std::min(w.out[0], w.out[1]) > 0;
  const auto shown = static_cast<int64_t>(static_cast<uint64_t>(w.out[0]) * static_cast<uint64_t>(w.out[1]));
  check(any && x.size(last) == w.count(), "Given output_size=", text_of(size), ", kernel_size=", text_of(kernel),
        ", dilation=", text_of(dilation), ", padding=", text_of(padding), ", stride=", text_of(stride),
        ", expected size of input's dimension 2 to match the calculated number of sliding blocks ", w.out[0], " * ",
        w.out[1], " = ", shown, ", but got input.size(2)=", x.size(last), ".");
  check_dtype(x, "col2im_out_cpu");
  return recorded(x, w, false);
}

}  // namespace gradcore
