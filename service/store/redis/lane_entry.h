// The entry and the totals that a shard holds for a lane, as text and as values. All functions are thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/lane_progress.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// The text `<incarnation> <cursor>` that a shard's lanes hash holds for a lane. ParseLaneEntry returns nothing for any
// other text.
std::string FormatLaneEntry(const Incarnation& incarnation, const Cursor& cursor);
std::optional<LaneEntry> ParseLaneEntry(std::string_view text);

// Converts the answer to HMGET on a lanes hash, lane by lane. An entry that viewcount did not write counts as unknown.
// The next apply will find it and report it.
std::vector<std::optional<LaneEntry>> LaneEntriesOf(const Reply& reply);

// Returns the reply's whole number, from −2^63 to 2^63 − 1; nil is 0. DATA_LOSS for any other reply.
absl::StatusOr<int64_t> NumberOf(const Reply& reply);

// The fields of a lane in the totals hash: `<lane>:views`, `…:set_aside`, `…:adjusted`, `…:lost`. `retired` may stand
// in the place of a lane.
inline constexpr size_t kTotalsFields = 4;
std::array<std::string, kTotalsFields> TotalsFieldsOf(std::string_view lane);
// Converts the values of these fields. DATA_LOSS if a value is not a number, or is below zero where it cannot be.
absl::StatusOr<LaneTotals> LaneTotalsOf(std::span<const Reply> values);

// Converts the answer of scripts/claim.lua. Errors: ABORTED with reason FENCED, DATA_LOSS.
absl::StatusOr<Claimed> ClaimedOf(Shard shard, const LaneId& lane, const Reply& reply);
// Converts the answers to HGET of the entry and HMGET of the totals. DATA_LOSS if a value is not one that viewcount
// writes.
absl::StatusOr<StoredLane> StoredLaneOf(Shard shard, const LaneId& lane, const Reply& entry, const Reply& totals);

}  // namespace viewcount
