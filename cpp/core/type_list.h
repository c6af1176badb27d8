// Lists of types, for what is generated from them at compile time. Start at TypeList.
#pragma once

namespace gradcore {

template <class... Ts> struct TypeList {
  static constexpr int size = sizeof...(Ts);
};

template <class T> struct TypeTag {
  using type = T;
};

// The place of T in a list, -1 where it is not there.
template <class T, class List> struct IndexIn;
template <class T, class... Ts> struct IndexIn<T, TypeList<Ts...>> {
  static constexpr int find() {
    int i = 0, at = -1;
    ((__is_same(T, Ts) ? at = i : 0, ++i), ...);
    return at;
  }
  static constexpr int value = find();
};

}  // namespace gradcore
