// What a person is told when an import could not go on.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "client/cpp/batch_sender.h"

namespace viewcount::cli {

// Where an import stood when it stopped.
struct ImportPlace {
  // All lines up to here are counted; 0 if none is known to be.
  uint64_t acknowledged_line = 0;
  // The batch that failed.
  uint64_t first_line = 0;
  uint64_t last_line = 0;
  // The path, or `-`.
  std::string_view name;
};

// The failed batch's error, its code and payloads kept, with a message that says what is counted, what is not known,
// and what to do so that nothing counts twice. Thread safe.
absl::Status ImportError(const client::SendResult& result, const ImportPlace& place);

}  // namespace viewcount::cli
