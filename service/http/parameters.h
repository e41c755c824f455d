// The query of a request's target: name=value&name=value.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viewcount {

// Returns OK if each parameter in the query of `target` is one of `known`. The parameter _ is always known, because
// scripts add it against caches. Otherwise returns INVALID_ARGUMENT that names the first other parameter and the
// nearest known one. Pure function; thread-safe.
absl::Status CheckParameters(std::string_view target, std::span<const std::string_view> known);

// The parsed query of one request. A value type.
class Parameters {
 public:
  // Parses the query of `target`. Decodes percent escapes, and + as a space, as HTML forms write them. Returns
  // INVALID_ARGUMENT for a broken escape. Accepts unescaped characters that browsers send, although RFC 3986 requires
  // an escape.
  static absl::StatusOr<Parameters> Parse(std::string_view target);

  // All names and values, in order.
  const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }
  // Returns every value of the parameter, in order.
  std::vector<std::string> All(std::string_view name) const;
  // Returns the last value of the parameter, or nothing if it is absent.
  std::optional<std::string> Find(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace viewcount
