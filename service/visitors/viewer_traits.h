// Properties of a browser that distinguish viewers who have the same address and the same user agent.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace viewcount {

// A value type. It refers to the bytes of a request. Everything is empty if the browser sends nothing.
struct ViewerTraits {
  // The field Accept-Language.
  std::string_view languages = {};
  // The client hints that browsers send without being asked: Sec-CH-UA, Sec-CH-UA-Mobile and Sec-CH-UA-Platform
  // (https://wicg.github.io/ua-client-hints/).
  std::string_view brands = {};
  std::string_view mobile = {};
  std::string_view platform = {};
  // A random number that the page keeps for one visit, if the site allows it.
  std::string_view session = {};

  std::array<std::string_view, 5> all() const { return {languages, brands, mobile, platform, session}; }

  bool operator==(const ViewerTraits&) const = default;
};

// The part of each trait that counts, in bytes.
inline constexpr size_t kTraitBytesMax = 128;

}  // namespace viewcount
