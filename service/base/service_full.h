// The refusal of a service that is at a limit of its own: callers did nothing wrong and may send the same again later.
#pragma once

#include <absl/status/status.h>

#include <chrono>
#include <string>
#include <string_view>

namespace viewcount {

// What is full. Callers see it as `full` in the metadata of ErrorInfo.
inline constexpr std::string_view kFullDisk = "disk";
inline constexpr std::string_view kFullBudget = "budget";
inline constexpr std::string_view kFullQueue = "queue";
inline constexpr std::string_view kFullMemory = "memory";

// RESOURCE_EXHAUSTED with RetryInfo and with ErrorInfo, whose reason is SERVICE_FULL. HTTP answers it with 503, whereas
// RESOURCE_EXHAUSTED without that reason means that the caller sends too much: 429.
absl::Status ServiceFull(std::string_view message, std::string_view full, std::chrono::milliseconds delay);

// What is full according to a status of ServiceFull; empty for any other status.
std::string FullOf(const absl::Status& status);

}  // namespace viewcount
