// Many large batches at once, each from a writer of its own, without the client library's patience: sees every refusal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/fault/truth.h"

namespace viewcount {

// What a burst met on its way.
struct BurstOutcome {
  uint64_t batches = 0;
  // Answers RESOURCE_EXHAUSTED, and those of them without RetryInfo.
  uint64_t refusals = 0;
  uint64_t refusals_without_retry_info = 0;
  // Batches that were never acknowledged.
  uint64_t unacknowledged = 0;
  std::string last_error;
};

struct BurstOptions {
  std::string server;
  // Batches in all, and how many are on their way at once.
  int batches = 100;
  int at_once = 10;
  int views_per_batch = 10'000;
  uint64_t seed = 1;
  // A batch that has no acknowledgement by then is given up.
  std::chrono::milliseconds patience{60'000};
  // Ends as soon as one is refused.
  bool stop_at_refusal = false;
};

// Sends them, each again and again under its own identity until it is acknowledged, and notes that in the truth. A
// message may have at most 4 MiB: see the length of the truth's IDs.
BurstOutcome SendBurst(const BurstOptions& options, Truth& truth);

}  // namespace viewcount
