// Errors for callers: canonical codes with google.rpc details as payloads, built in one place.
//
// Every function returns a status that is not OK. The payloads' type URLs are those of google.rpc, so that the
// transports only have to copy them.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace viewcount {

// INVALID_ARGUMENT with BadRequest. `field` is a path such as `views[3].article_id`.
absl::Status InvalidField(std::string_view field, std::string_view description);

// Any code with ErrorInfo: `reason` in UPPER_SNAKE_CASE, `metadata` as pairs.
absl::Status ErrorWithReason(absl::StatusCode code, std::string_view message, std::string_view reason,
                             std::initializer_list<std::pair<std::string_view, std::string>> metadata = {});

// Any code with RetryInfo: the same request may be sent again after `delay`.
absl::Status RetryLater(absl::StatusCode code, std::string_view message, std::chrono::milliseconds delay);

// NOT_FOUND, reason UNKNOWN_SITE, naming the command that makes it.
absl::Status UnknownSite(std::string_view site);

// UNIMPLEMENTED, saying what is missing: "ListTrending is not built yet".
absl::Status NotBuiltYet(std::string_view what);

// The reason of a status' ErrorInfo; empty without one.
std::string ReasonOf(const absl::Status& status);

// The first field that a status' BadRequest names; empty without one.
std::string FieldOf(const absl::Status& status);

// What a status' RetryInfo says; nothing without one.
std::optional<std::chrono::milliseconds> RetryDelayOf(const absl::Status& status);

// An entry of the metadata of a status' ErrorInfo; empty without one.
std::string MetadataOf(const absl::Status& status, std::string_view key);

// Returns whether the same request may succeed later: UNAVAILABLE, or DEADLINE_EXCEEDED.
inline bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// absl's own string_view, which is not the standard one on Debian 12.
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace viewcount
