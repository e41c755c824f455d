// Sends many large batches at the same time, each from its own writer. It does not use the client library, which
// retries, so it sees every refusal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/fault/truth.h"

namespace viewcount {

// The result of a burst.
struct BurstOutcome {
  uint64_t batches = 0;
  // The number of RESOURCE_EXHAUSTED answers, and how many of them had no RetryInfo.
  uint64_t refusals = 0;
  uint64_t refusals_without_retry_info = 0;
  // The number of batches that were never acknowledged.
  uint64_t unacknowledged = 0;
  std::string last_error;
};

struct BurstOptions {
  std::string server;
  // The total number of batches, and how many are sent at the same time.
  int batches = 100;
  int at_once = 10;
  int views_per_batch = 10'000;
  uint64_t seed = 1;
  // A batch that is not acknowledged after this time is given up.
  std::chrono::milliseconds patience{60'000};
  // Ends the burst as soon as one batch is refused.
  bool stop_at_refusal = false;
};

// Sends the batches. Repeats each one under its own identity until it is acknowledged, and then records that in the
// truth. A message may have at most 4 MiB, which limits the length of the truth's IDs.
BurstOutcome SendBurst(const BurstOptions& options, Truth& truth);

}  // namespace viewcount
