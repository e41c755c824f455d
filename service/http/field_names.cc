#include "service/http/field_names.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <utility>

#include "service/base/status.h"

namespace viewcount {
namespace {

// Fields with another name in queries, and the parameters from which a query sets them. `canonical_address` contains
// `address`, so it comes first.
constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"article_id", "article"},         {"canonical_address", "canonical"}, {"address", "address"},
    {"with_before", "compare"},        {"with_year_before", "compare"},    {"window.range.start", "window.start"},
    {"window.range.end", "window.end"}};

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// A query names each article by a parameter of its own. In messages they are members of a list, or of a list's members.
std::string ParameterOf(std::string_view field, std::string_view parameter) {
  std::string name(parameter);
  const size_t index = field.find('[');
  if (index != std::string_view::npos) name += field.substr(index, field.find(']') - index + 1);
  return name;
}

}  // namespace

std::string JsonNameOf(std::string_view field) {
  std::string name;
  for (size_t i = 0; i < field.size(); ++i) {
    const bool joins = field[i] == '_' && i + 1 < field.size();
    name += joins ? Upper(field[++i]) : field[i];
  }
  return name;
}

absl::Status WithHttpNames(const absl::Status& error, std::span<const std::string_view> parameters) {
  const std::string field = FieldOf(error);
  if (field.empty()) return error;
  std::string_view description = ToStd(error.message());
  if (absl::StartsWith(error.message(), field + ": ")) description.remove_prefix(field.size() + 2);
  for (const auto& [name, parameter] : kNames) {
    if (field.find(name) == std::string::npos || std::ranges::find(parameters, parameter) == parameters.end()) continue;
    return InvalidField(ParameterOf(field, parameter), description);
  }
  return InvalidField(JsonNameOf(field), description);
}

}  // namespace viewcount
