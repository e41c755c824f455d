// Remembers from which file of another counter the views of each day were imported.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "client/cli/foreign_format.h"
#include "client/cli/import_batch.h"
#include "client/cli/import_writers.h"
#include "service/sites/day_zones.h"

namespace viewcount::cli {

// Refuses views of a day, or of an hour of Wikimedia, that was imported from another file. Two exports may have the
// same views in other lines, so the lines of a file prove nothing about another one. Not thread-safe.
class ImportedTimes {
 public:
  // With `overlapping` nothing is refused, but days without an owner are claimed all the same.
  ImportedTimes(ForeignFormat format, const std::string& site, DayZones days, bool overlapping, SendRequest send);

  // Claims the days of a batch for its file. Call it before the batch is sent. Returns FAILED_PRECONDITION if another
  // file has one of them; then none of them is claimed. Returns the service's error if there is no answer.
  absl::Status Claim(const ImportBatch& batch);

 private:
  uint32_t NumberAt(int64_t unix_ms) const;
  absl::Status Refusal(int64_t unix_ms) const;

  const ForeignFormat format_;
  const std::string_view counter_;
  const DayZones days_;
  const bool overlapping_;
  const ImportWriters writers_;
  // The writers of files, with the times that were settled for them.
  std::set<std::pair<std::string, uint32_t>> settled_;
};

}  // namespace viewcount::cli
