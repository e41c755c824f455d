// Comparisons that take capital and small letters of ASCII for the same. Pure functions; thread-safe.
#pragma once

#include <absl/strings/match.h>

#include <string_view>

namespace viewcount {

inline bool EqualWithoutCase(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

inline bool HasPrefixWithoutCase(std::string_view text, std::string_view prefix) {
  return EqualWithoutCase(text.substr(0, prefix.size()), prefix);
}

}  // namespace viewcount
