// What a loader answers: a value, or the one error that stopped it.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "cpu/types.h"

namespace softvt {

// One error, told by file, place, expectation and finding.
struct LoadError {
  std::string file;
  u64 offset = 0;
  std::string expected;
  std::string found;

  // "file: at offset 0x..: expected ..., found ..."
  std::string text() const;
};

// For steps that have no value: empty means done.
using MaybeLoadError = std::optional<LoadError>;

template <typename T>
class [[nodiscard]] LoadResult {
 public:
  LoadResult(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  LoadResult(LoadError error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only after ok() was seen to be true.
  T& value() { return *std::get_if<0>(&content_); }
  const T& value() const { return *std::get_if<0>(&content_); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Only after ok() was seen to be false.
  const LoadError& error() const { return *std::get_if<1>(&content_); }

 private:
  std::variant<T, LoadError> content_;
};

}  // namespace softvt
