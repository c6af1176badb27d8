// Errors: one exception type that carries the Python class to raise. Start at check() and fail().
#pragma once
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

namespace gradcore {

enum class ErrorKind : uint8_t {
  Runtime,
  Value,
  Type,
  Index,
  NotImplemented,
  OutOfMemory,
  ZeroDivision,
  Overflow,
  LinAlg
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
  std::string message_;
};

namespace detail {
// One part of a message: where it is, and how it is written. A message is put together in one place, so that every
// check costs its caller a few instructions.
struct Part {
  const void* object;
  void (*write)(std::string& out, const void* object);
};
void write_text(std::string& out, const void* text);
void write(std::string& out, std::string_view v);
void write(std::string& out, char v);
void write(std::string& out, bool v);
void write(std::string& out, double v);
void write(std::string& out, int64_t v);
void write(std::string& out, uint64_t v);

template <class T>
constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>;
template <class T> void write_object(std::string& out, const void* object) {
  const T& v = *static_cast<const T*>(object);
  if constexpr (is_integer<T>)
    write(out, static_cast<std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>(v));
  else if constexpr (requires { v.str(); })
    write(out, std::string_view(v.str()));
  else
    write(out, v);
}
inline Part part(const char* const& text) { return {text, write_text}; }
template <class T> Part part(const T& v) { return {&v, write_object<T>}; }

std::string join(const Part* parts, int count);
[[noreturn]] void raise(ErrorKind kind, const Part* parts, int count);

// How an argument is handed on: text as a pointer, so that its length makes no function of its own.
template <class T> struct PassedAs {
  using type = const T&;
};
template <int kSize> struct PassedAs<char[kSize]> {
  using type = const char*;
};
template <class T>
  requires std::is_arithmetic_v<T>
struct PassedAs<T> {
  using type = T;
};
template <class T> using Passed = typename PassedAs<T>::type;

template <class... Args> [[noreturn, gnu::cold, gnu::noinline]] void fail_with(ErrorKind kind, Args... args) {
  const Part parts[] = {part(args)...};
  raise(kind, parts, sizeof...(Args));
}
template <class... Args> [[gnu::noinline]] std::string concatenate(Args... args) {
  const Part parts[] = {part(args)...};
  return join(parts, sizeof...(Args));
}
}  // namespace detail

// Concatenates its arguments into a message.
template <class... Args> std::string str_cat(const Args&... args) {
  return detail::concatenate<detail::Passed<Args>...>(args...);
}

template <class... Args> [[noreturn, gnu::always_inline]] inline void fail(ErrorKind kind, const Args&... args) {
  detail::fail_with<detail::Passed<Args>...>(kind, args...);
}
template <class... Args> [[noreturn, gnu::always_inline]] inline void fail(const Args&... args) {
  detail::fail_with<detail::Passed<Args>...>(ErrorKind::Runtime, args...);
}

// check(condition, [kind,] message parts...): the parts are only put together when the condition fails.
template <class... Args> inline void check(bool ok, const Args&... args) {
  if (!ok) [[unlikely]]
    fail(args...);
}

}  // namespace gradcore
