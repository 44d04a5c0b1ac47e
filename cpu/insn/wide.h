// The integer types of twice the width, for multiplication and division.
#pragma once
#include <type_traits>

#include "cpu/types.h"

namespace softvt::insn {

template <class T>
struct WideOf;
template <>
struct WideOf<u8> {
  using Unsigned = u16;
  using Signed = i16;
};
template <>
struct WideOf<u16> {
  using Unsigned = u32;
  using Signed = i32;
};
template <>
struct WideOf<u32> {
  using Unsigned = u64;
  using Signed = i64;
};
template <>
struct WideOf<u64> {
  using Unsigned = u128;
  using Signed = i128;
};

template <class T>
using Wide = typename WideOf<T>::Unsigned;
template <class T>
using SignedWide = typename WideOf<T>::Signed;
template <class T>
using Signed = std::make_signed_t<T>;

}  // namespace softvt::insn
