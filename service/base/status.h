// Errors for callers: canonical codes with google.rpc details as payloads, built in one place.
//
// The functions that build a status never return OK. The payloads have the type URLs of google.rpc, so the transports
// only need to copy them. All functions are thread-safe.
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

// Returns INVALID_ARGUMENT with BadRequest. `field` is a path such as `views[3].article_id`.
absl::Status InvalidField(std::string_view field, std::string_view description);

// Returns an error of any code with ErrorInfo. `reason` is in UPPER_SNAKE_CASE, and `metadata` is a list of pairs.
absl::Status ErrorWithReason(absl::StatusCode code, std::string_view message, std::string_view reason,
                             std::initializer_list<std::pair<std::string_view, std::string>> metadata = {});

// Returns an error of any code with RetryInfo: the caller may send the same request again after `delay`.
absl::Status RetryLater(absl::StatusCode code, std::string_view message, std::chrono::milliseconds delay);

// Returns NOT_FOUND with the reason UNKNOWN_SITE. The message names the command that creates the site.
absl::Status UnknownSite(std::string_view site);

// Returns UNIMPLEMENTED. The message names the missing feature, such as "ListTrending is not built yet".
absl::Status NotBuiltYet(std::string_view what);

// Returns the reason of a status' ErrorInfo, or an empty text without one.
std::string ReasonOf(const absl::Status& status);

// Returns the first field that a status' BadRequest names, or an empty text without one.
std::string FieldOf(const absl::Status& status);

// Returns the delay of a status' RetryInfo, or nothing without one.
std::optional<std::chrono::milliseconds> RetryDelayOf(const absl::Status& status);

// Returns an entry of the metadata of a status' ErrorInfo, or an empty text without one.
std::string MetadataOf(const absl::Status& status, std::string_view key);

// Returns whether the same request may succeed later: UNAVAILABLE, or DEADLINE_EXCEEDED.
inline bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// These convert between Abseil's string_view and the standard one, which are different types on Debian 12.
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace viewcount
