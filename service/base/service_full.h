// The error of a service that has reached one of its own limits. The caller made no mistake and may send the same
// request again later.
#pragma once

#include <absl/status/status.h>

#include <chrono>
#include <string>
#include <string_view>

namespace viewcount {

// The resources that can be full. Callers see the name as `full` in the metadata of ErrorInfo.
inline constexpr std::string_view kFullDisk = "disk";
inline constexpr std::string_view kFullBudget = "budget";
inline constexpr std::string_view kFullQueue = "queue";
inline constexpr std::string_view kFullMemory = "memory";
inline constexpr std::string_view kFullStreams = "streams";

// Returns RESOURCE_EXHAUSTED with RetryInfo and with ErrorInfo, whose reason is SERVICE_FULL. HTTP answers it with 503.
// Without that reason RESOURCE_EXHAUSTED means that the caller sends too much, and HTTP answers with 429.
absl::Status ServiceFull(std::string_view message, std::string_view full, std::chrono::milliseconds delay);

// Returns the name of the full resource in a status of ServiceFull. Returns an empty text for any other status.
std::string FullOf(const absl::Status& status);

}  // namespace viewcount
