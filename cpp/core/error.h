// Errors: one exception type that carries the Python class to raise. Start at check() and fail().
#pragma once
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

namespace gradcore {

enum class ErrorKind : uint8_t { Runtime, Value, Type, Index, NotImplemented, OutOfMemory, ZeroDivision, Overflow };

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
inline void append(std::string& out, std::string_view s) { out += s; }
inline void append(std::string& out, const char* s) { out += s; }
inline void append(std::string& out, const std::string& s) { out += s; }
inline void append(std::string& out, char c) { out += c; }
inline void append(std::string& out, bool b) { out += b ? "True" : "False"; }
void append(std::string& out, double v);
template <class T>
  requires std::is_integral_v<T>
inline void append(std::string& out, T v) {
  out += std::to_string(v);
}
template <class T>
  requires requires(const T& t) { t.str(); }
inline void append(std::string& out, const T& v) {
  out += v.str();
}
}  // namespace detail

template <class T>
concept Printable = requires(std::string& s, const T& v) { detail::append(s, v); };

// Concatenates its arguments into a message.
template <class... Args>
  requires(Printable<Args> && ...)
std::string str_cat(const Args&... args) {
  std::string out;
  (detail::append(out, args), ...);
  return out;
}

template <class... Args> [[noreturn, gnu::cold, gnu::noinline]] void fail(ErrorKind kind, const Args&... args) {
  throw Error(kind, str_cat(args...));
}
template <class... Args> [[noreturn, gnu::cold, gnu::noinline]] void fail(const Args&... args) {
  throw Error(ErrorKind::Runtime, str_cat(args...));
}

// check(condition, [kind,] message parts...): the parts are only put together when the condition fails.
template <class... Args> inline void check(bool ok, const Args&... args) {
  if (!ok) [[unlikely]]
    fail(args...);
}

}  // namespace gradcore
