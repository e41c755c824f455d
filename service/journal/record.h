// What a journal consists of. FORMAT.md is the page about the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

// Part of the format: values are never reused.
enum class RecordType : uint8_t {
  // In place of bytes that repair took out.
  kVoid = 1,
  // A batch: time of receipt, flags, the raw request.
  kViews = 2,
  // A site's settings, from here on.
  kSite = 3,
  // An administrator's change of counts.
  kAdjustment = 4,
  // How many views the journal held before this place, by shard.
  kTotals = 5,
  // Everything before this place was durable when it was written. Readers do not see it, nor kVoid.
  kCommit = 6,
};

// A record as it is read. `payload` belongs to the reader and is valid until its next step.
struct Record {
  RecordType type = RecordType::kVoid;
  // Of its first byte, and behind its last: positions name ends, so a chunk (from, to] holds the records with
  // from < end <= to.
  Position begin;
  Position end;
  std::string_view payload;
};

// A record to write.
struct RecordDraft {
  RecordType type = RecordType::kVoid;
  std::string payload;
};

}  // namespace viewcount
