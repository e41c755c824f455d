// The parts of a file of counts.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "viewcount/v1/admin.pb.h"
#include "viewcount/v1/transfer.pb.h"

namespace viewcount::cli {

// The version of the format of snapshots that this program writes and reads.
inline constexpr int64_t kSnapshotVersion = 1;

// The first line of a snapshot.
struct SnapshotHead {
  std::string site;
  std::string time_zone;
  // The time zones that the site had before, for people.
  std::string earlier_time_zones;
};
// A line that is no row: an article that is counted for another one.
struct SnapshotAlias {
  std::string from;
  std::string into;
};
// The last line of a snapshot.
struct SnapshotEnd {
  uint64_t rows = 0;
  int64_t views = 0;
  uint64_t aliases = 0;
  uint64_t announced = 0;

  bool operator==(const SnapshotEnd&) const = default;
};

// One line of a file of counts.
using CountsItem = std::variant<SnapshotHead, v1::CountRow, SnapshotAlias, v1::Article, SnapshotEnd>;

// The meaning of rows without a day.
struct CountsOptions {
  // The number of the day to which all rows belong, or 0.
  uint32_t day = 0;
  // True if rows without a day are of all time.
  bool all_time = false;
  // The last day and hour that the site takes, or 0 for any. They have the numbers of CountedViews.
  uint32_t last_day = 0;
  uint32_t last_hour = 0;
};

}  // namespace viewcount::cli
