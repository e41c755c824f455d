// Where a batch becomes durable: the seam between deduping and folding.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/ingest/views_request.h"

namespace viewcount {

// A lane's record of everything it took, in order. Used by the lane's thread only.
class Journal {
 public:
  virtual ~Journal() = default;
  // Adds a batch (`request` are its raw bytes) and returns the position behind it. Durable after the next Sync.
  virtual Position Append(int64_t receipt_unix_ms, std::string_view request) = 0;
  // Makes everything appended durable. An error is final: the process must not acknowledge anything more.
  virtual absl::Status Sync() = 0;
  // What Sync guarantees.
  virtual Durability durability() const = 0;
};

// Keeps nothing: positions count the bytes that a journal on disk would append, and an acknowledgement means memory.
class VolatileJournal final : public Journal {
 public:
  Position Append(int64_t receipt_unix_ms, std::string_view request) override;
  absl::Status Sync() override { return absl::OkStatus(); }
  Durability durability() const override { return Durability::kMemory; }

 private:
  Position end_;
};

}  // namespace viewcount
