// What a shard holds of a lane, as text and as values: its entry in the lanes hash and its totals.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// `<incarnation> <cursor>`: what a shard's lanes hash holds for a lane. Nothing for text that is none.
std::string FormatLaneEntry(const Incarnation& incarnation, const Cursor& cursor);
std::optional<LaneEntry> ParseLaneEntry(std::string_view text);

// What HMGET on a lanes hash answered, lane by lane. Entries that nobody of us wrote count as unknown: the next apply
// will meet them and say so.
std::vector<std::optional<LaneEntry>> LaneEntriesOf(const Reply& reply);

// The whole number from 2^63 below zero to 2^63 − 1 that a reply is; nil is 0. DATA_LOSS for anything else.
absl::StatusOr<int64_t> NumberOf(const Reply& reply);

// In the totals hash: `<lane>:views`, `…:set_aside`, `…:adjusted`, `…:lost`; `retired` in the place of a lane.
inline constexpr size_t kTotalsFields = 4;
std::array<std::string, kTotalsFields> TotalsFieldsOf(std::string_view lane);
// From the values of these fields. DATA_LOSS if one is no such number.
absl::StatusOr<LaneTotals> LaneTotalsOf(std::span<const Reply> values);

// What scripts/claim.lua answered. Errors: ABORTED with reason FENCED, DATA_LOSS.
absl::StatusOr<Claimed> ClaimedOf(Shard shard, const LaneId& lane, const Reply& reply);
// What HGET of the entry and HMGET of the totals answered. DATA_LOSS if one is not what we write.
absl::StatusOr<StoredLane> StoredLaneOf(Shard shard, const LaneId& lane, const Reply& entry, const Reply& totals);

}  // namespace viewcount
