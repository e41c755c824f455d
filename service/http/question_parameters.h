// Reads parts of questions from the parameters of a query. Errors are INVALID_ARGUMENT, and name the parameter.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "service/http/parameters.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Returns whether a parameter is `true`; false if it is absent.
absl::StatusOr<bool> SwitchOf(const Parameters& parameters, const char* name);
// Returns a parameter that is a whole number; nothing if it is absent.
absl::StatusOr<std::optional<uint32_t>> NumberOf(const Parameters& parameters, const char* name);
// Returns a parameter that is a duration such as 24h, in milliseconds; nothing if it is absent.
absl::StatusOr<std::optional<int64_t>> DurationOf(const Parameters& parameters, const char* name);
// Returns a parameter that is a time; nothing if it is absent.
absl::StatusOr<std::optional<google::protobuf::Timestamp>> TimeOf(const Parameters& parameters, const char* name);
// Refuses a parameter that is there but empty, because its sender hardly means the whole.
absl::Status CheckNotEmpty(const Parameters& parameters, const char* name);
// Fills a window from window.last, window.day, or window.start with window.end.
absl::Status FillSpan(const Parameters& parameters, v1::Window& window);
// Returns PERMISSION_DENIED for something that strangers may not ask for.
absl::Status ForBackends(std::string_view what);

}  // namespace viewcount
