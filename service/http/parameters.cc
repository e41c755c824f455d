#include "service/http/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "service/base/status.h"
#include "service/base/unknown_name.h"

namespace viewcount {
namespace {

constexpr std::string_view kAgainstCaches = "_";

absl::StatusOr<std::string> Decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    uint8_t byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() < 2 || error != std::errc() || end != digits.data() + 2) {
      return absl::InvalidArgumentError("the query has a % that two hexadecimal digits do not follow");
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

}  // namespace

absl::Status CheckParameters(std::string_view target, std::span<const std::string_view> known) {
  const auto parameters = Parameters::Parse(target);
  if (!parameters.ok()) return parameters.status();
  for (const auto& [name, value] : parameters->pairs()) {
    if (name == kAgainstCaches || std::find(known.begin(), known.end(), name) != known.end()) continue;
    return InvalidField(name, UnknownName(name, known));
  }
  return absl::OkStatus();
}

absl::StatusOr<Parameters> Parameters::Parse(std::string_view target) {
  Parameters parameters;
  const size_t begin = target.find('?');
  if (begin == std::string_view::npos) return parameters;
  std::string_view rest = target.substr(begin + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    auto name = Decode(pair.substr(0, equals));
    auto value = Decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!name.ok()) return name.status();
    if (!value.ok()) return value.status();
    parameters.pairs_.emplace_back(*std::move(name), *std::move(value));
  }
  return parameters;
}

std::vector<std::string> Parameters::All(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : pairs_) {
    if (key == name) values.push_back(value);
  }
  return values;
}

std::optional<std::string> Parameters::Find(std::string_view name) const {
  for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
    if (pair->first == name) return pair->second;
  }
  return std::nullopt;
}

}  // namespace viewcount
