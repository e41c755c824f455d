// The query of a request's target: name=value&name=value.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace viewcount {

class Parameters {
 public:
  // Undoes percent escapes, and + for a space, as HTML forms write them. INVALID_ARGUMENT for a broken escape. Takes
  // what browsers send without an escape, though RFC 3986 asks for one.
  static absl::StatusOr<Parameters> Parse(std::string_view target);

  // Every value of that name, in order.
  std::vector<std::string> All(std::string_view name) const;
  // The last value of that name; nothing if there is none.
  std::optional<std::string> Find(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace viewcount
