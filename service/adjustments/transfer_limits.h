// The limits of imports of counts and of snapshots.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "service/base/limits.h"

namespace viewcount {

// The rows and the counts of one message of an import. A message becomes one record of a journal.
inline constexpr size_t kImportRowsMax = 1'000;
inline constexpr size_t kImportCountsMax = 10'000;
// The rows of one import.
inline constexpr uint64_t kImportRowsInAllMax = uint64_t{1} << 40;
// The most views of one count, and of all counts of a site in one window after an import. A count holds up to 2^53, so
// views and other changes have the other half.
inline constexpr int64_t kImportViewsMax = int64_t{1} << 46;
inline constexpr int64_t kImportSumMax = int64_t{1} << 52;
// Days before this many are left out: ten years. All windows of a site are read in one step, of views and of visits,
// and a connection takes limits::kStorePendingCommandsMax commands.
inline constexpr int64_t kImportDaysMax = 3'653;
// The windows of a site whose totals are read at once. Each is a command in each shard.
inline constexpr size_t kTotalsStep = 64;
// The number of imports at the same time. Each waits for the disk at every message.
inline constexpr size_t kImportsMax = 4;
// The time that the client of an import may take between two messages.
inline constexpr std::chrono::seconds kImportPatience{60};
// An import waits while its lane holds this many bytes that the store does not have. Views have the rest.
inline constexpr size_t kImportPendingBytesMax = limits::kChunkSealBytes / 2;
// The longest wait for that.
inline constexpr std::chrono::seconds kImportFlushTimeout{30};
// The number of snapshots at the same time. Each reads all counts of a site.
inline constexpr size_t kSnapshotsMax = 2;
// The number of aliases in one message of a snapshot.
inline constexpr size_t kSnapshotPieceMax = 1'000;
// A message of a snapshot gets no further announced articles from this size on.
inline constexpr size_t kSnapshotMessageBytes = 1 << 20;
// The counts in one row of a snapshot. An article with more of them has several rows.
inline constexpr size_t kSnapshotRowCountsMax = 2'000;

// A change of a count has at most 20 bytes in a record: its kind, a number of 5 bytes, and views of 10.
static_assert(kImportRowsMax * (limits::kArticleIdBytesMax + 16) + kImportCountsMax * 24 < limits::kAdjustmentBytesMax);
static_assert(kImportViewsMax <= std::numeric_limits<int64_t>::max() / static_cast<int64_t>(2 * kImportCountsMax));
static_assert(kImportSumMax <= static_cast<int64_t>(limits::kCountMax / 2));
static_assert(2 * kImportDaysMax + 1'000 < static_cast<int64_t>(limits::kStorePendingCommandsMax));
static_assert(kImportPendingBytesMax < limits::kChunkBytesMax);
static_assert(kSnapshotRowCountsMax <= kImportCountsMax);

}  // namespace viewcount
