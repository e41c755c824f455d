// Builds the error message for a person whose import could not continue.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "client/cpp/batch_sender.h"

namespace viewcount::cli {

// The position at which an import stopped.
struct ImportPlace {
  // All lines up to this one are counted. 0 if no line is known to be counted.
  uint64_t acknowledged_line = 0;
  // The first and the last line of the batch that failed.
  uint64_t first_line = 0;
  uint64_t last_line = 0;
  // The path of the file, or `-`.
  std::string_view name;
  // True for a file of another counter.
  bool foreign = false;
};

// Returns the failed batch's error with its code and payloads. Its message says what is counted, what is not known, and
// what to do so that no view counts twice. Thread-safe.
absl::Status ImportError(const client::SendResult& result, const ImportPlace& place);

}  // namespace viewcount::cli
