#include "bindings/ops/register.h"

#include <array>

#include "core/warning.h"

namespace gradcore {

PyObject* to_python(const Args& a, Named r) {
  static PyObject* const types = checked(PyImport_ImportModule("gradcore.return_types"));
  const std::string name(a.row().name.substr(a.row().name.starts_with('_')));
  const Owned type(checked(PyObject_GetAttrString(types, name.c_str())));
  const Owned parts(wrap_tuple(std::move(r.parts)));
  return checked(PyObject_CallOneArg(type.get(), parts.get()));
}

void warn_of_old_form(const OpRow& row) {
  static std::atomic<bool> warned = false;
  if (!warning_is_due(warned)) return;
  std::string_view takes = row.signature.substr(0, row.signature.find(" -> "));
  constexpr std::string_view kReceiver = "(Tensor input, ";
  const bool method = row.kind == kMethod && takes.starts_with(kReceiver);
  if (method) takes.remove_prefix(kReceiver.size());
  warn("This overload of ", row.name, " is deprecated:\n\t", row.name, method ? "(" : "", takes,
       "\nConsider giving the tensors alone by position, and numbers by the names alpha, beta and value.");
}

PyObject* to_python(const Args&, const std::vector<int64_t>& ints) {
  Owned out(checked(PyTuple_New(static_cast<Py_ssize_t>(ints.size()))));
  for (size_t i = 0; i < ints.size(); ++i)
    PyTuple_SET_ITEM(out.get(), static_cast<Py_ssize_t>(i), checked(PyLong_FromLongLong(ints[i])));
  return out.release();
}

// ---- ops that give back what arrived: the tests reach through them what few ops take

namespace {

PyObject* echo(const Dims& pair, const Dims& triple, Reduction reduction) {
  constexpr const char* kNames[] = {"none", "mean", "sum"};
  const std::string text =
      str_cat("pair=", pair, " triple=", triple, " reduction=", kNames[static_cast<int>(reduction)]);
  return checked(PyUnicode_FromString(text.c_str()));
}

template <size_t... i> int64_t sum_of_products(std::index_sequence<i...>, const std::array<int64_t, sizeof...(i)>& n) {
  return ((static_cast<int64_t>(i) * n[i]) + ...);
}

constexpr OpRow kEchoes[] = {
    op("_echo(int[2] pair, int[3] triple, Reduction reduction='mean') -> object", fn<echo>, {.kind = kFunction}),
    op("_echo_many(int p0, int p1, int p2, int p3, int p4, int p5, int p6, int p7, int p8, int p9, int p10, int p11, "
       "int p12, int p13, int p14, int p15, int p16, int p17) -> int",
       [](int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t g, int64_t h, int64_t i, int64_t j,
          int64_t k, int64_t l, int64_t m, int64_t n, int64_t o, int64_t p, int64_t q, int64_t r) {
         return sum_of_products(std::make_index_sequence<18>{}, {a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r});
       },
       {.kind = kFunction}),
};

}  // namespace

void register_echoes() { register_rows(kEchoes, Halves::Native); }

}  // namespace gradcore
