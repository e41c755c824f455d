#include "service/visitors/request_purpose.h"

#include <absl/strings/match.h>

#include <algorithm>

#include "service/base/status.h"

namespace viewcount {
namespace {

constexpr std::array<std::string_view, 3> kBeforeView = {"prefetch", "prerender", "preview"};
// The separators between the members of a list, between an item and its parameters, and the blanks around both.
constexpr std::string_view kSeparators = ",; \t";

bool IsOneOf(const std::array<std::string_view, 3>& texts, std::string_view text) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](std::string_view one) { return absl::EqualsIgnoreCase(ToAbsl(one), ToAbsl(text)); });
}

}  // namespace

bool IsBeforeView(std::string_view field, std::string_view value) {
  if (!IsOneOf(kPurposeFields, field)) return false;
  while (!value.empty()) {
    const std::string_view token = value.substr(0, value.find_first_of(kSeparators));
    if (IsOneOf(kBeforeView, token)) return true;
    value.remove_prefix(std::min(value.size(), token.size() + 1));
  }
  return false;
}

}  // namespace viewcount
