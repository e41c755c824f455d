// Defines the records of a journal. FORMAT.md describes their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

// The types of records. The values are part of the format and are never reused.
enum class RecordType : uint8_t {
  // Replaces bytes that a repair removed.
  kVoid = 1,
  // A batch: time of receipt, flags and the raw request.
  kViews = 2,
  // New settings of a site. They apply to all later records.
  kSite = 3,
  // A change of counts by an administrator.
  kAdjustment = 4,
  // The number of views that the journal held before this place, by shard.
  kTotals = 5,
  // States that everything before this place was durable when the record was written. Readers skip this type and kVoid.
  kCommit = 6,
};

// A record that was read. `payload` belongs to the reader and is valid until the reader's next step.
struct Record {
  RecordType type = RecordType::kVoid;
  // The positions of the record's first byte and of the byte after its last. Positions name ends, so a chunk (from, to]
  // holds the records with from < end <= to.
  Position begin;
  Position end;
  std::string_view payload;
};

// A record that is to be written.
struct RecordDraft {
  RecordType type = RecordType::kVoid;
  std::string payload;
};

}  // namespace viewcount
