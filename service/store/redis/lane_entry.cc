#include "service/store/redis/lane_entry.h"

#include <fmt/format.h>

#include <charconv>

#include "service/base/check.h"
#include "service/base/status.h"
#include "service/store/redis/keys.h"

namespace viewcount {
namespace {

absl::Status NoEntry(Shard shard, const LaneId& lane, std::string_view text) {
  return absl::DataLossError(fmt::format("{} holds \"{}\" for lane {}", keys::Lanes(shard), text, ToHex(lane)));
}

}  // namespace

std::string FormatLaneEntry(const Incarnation& incarnation, const Cursor& cursor) {
  return fmt::format("{} {}", ToHex(incarnation), cursor.ToString());
}

std::optional<LaneEntry> ParseLaneEntry(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto incarnation = IdFromHex<Incarnation>(text.substr(0, space));
  const auto cursor = Cursor::Parse(text.substr(space + 1));
  if (!incarnation || !cursor) return std::nullopt;
  return LaneEntry{*incarnation, *cursor};
}

std::vector<std::optional<LaneEntry>> LaneEntriesOf(const Reply& reply) {
  std::vector<std::optional<LaneEntry>> lanes;
  for (const Reply& element : reply.elements) lanes.push_back(ParseLaneEntry(element.text));
  return lanes;
}

absl::StatusOr<int64_t> NumberOf(const Reply& reply) {
  if (reply.is_nil()) return 0;
  int64_t value = 0;
  const char* end = reply.text.data() + reply.text.size();
  const auto [stop, error] = std::from_chars(reply.text.data(), end, value);
  if (reply.kind != Reply::Kind::kText || error != std::errc() || stop != end) {
    return absl::DataLossError(fmt::format("Redis holds \"{}\" where a number should be", reply.text.substr(0, 40)));
  }
  return value;
}

std::array<std::string, kTotalsFields> TotalsFieldsOf(std::string_view lane) {
  return {fmt::format("{}:views", lane), fmt::format("{}:set_aside", lane), fmt::format("{}:adjusted", lane),
          fmt::format("{}:lost", lane)};
}

absl::StatusOr<LaneTotals> LaneTotalsOf(std::span<const Reply> values) {
  VIEWCOUNT_CHECK(values.size() == kTotalsFields);
  std::array<int64_t, kTotalsFields> numbers{};
  for (size_t i = 0; i < kTotalsFields; ++i) {
    const auto number = NumberOf(values[i]);
    if (!number.ok()) return number.status();
    numbers[i] = *number;
  }
  if (numbers[0] < 0 || numbers[1] < 0 || numbers[3] < 0) {
    return absl::DataLossError("Redis holds a number below zero where views were counted");
  }
  return LaneTotals{.views = static_cast<uint64_t>(numbers[0]),
                    .set_aside = static_cast<uint64_t>(numbers[1]),
                    .adjusted = numbers[2],
                    .lost = static_cast<uint64_t>(numbers[3])};
}

absl::StatusOr<Claimed> ClaimedOf(Shard shard, const LaneId& lane, const Reply& reply) {
  const std::vector<Reply>& elements = reply.elements;
  if (elements.size() < 2) return absl::DataLossError("claim: Redis answered something else");
  if (elements[0].text == "FENCED" && elements.size() == 3) {
    return ErrorWithReason(absl::StatusCode::kAborted,
                           fmt::format("lane {} is used by another process (incarnation {} in shard {}): this data "
                                       "directory was copied and started twice",
                                       ToHex(lane), elements[1].text, shard.value),
                           "FENCED", {{"cursor", elements[2].text}});
  }
  const auto cursor = elements[0].text == "CLAIMED" && elements.size() == 3 + kTotalsFields
                          ? Cursor::Parse(elements[1].text)
                          : std::nullopt;
  if (!cursor) return NoEntry(shard, lane, elements[1].text);
  const auto totals = LaneTotalsOf(std::span(elements).subspan(3));
  if (!totals.ok()) return totals.status();
  return Claimed{.cursor = *cursor, .totals = *totals, .known = elements[2].integer == 1};
}

absl::StatusOr<StoredLane> StoredLaneOf(Shard shard, const LaneId& lane, const Reply& entry, const Reply& totals) {
  StoredLane stored;
  if (!entry.is_nil()) {
    stored.entry = ParseLaneEntry(entry.text);
    if (!stored.entry) return NoEntry(shard, lane, entry.text);
  }
  if (totals.elements.size() != kTotalsFields) return absl::DataLossError("Redis answered HMGET with too few values");
  const auto numbers = LaneTotalsOf(totals.elements);
  if (!numbers.ok()) return numbers.status();
  stored.totals = *numbers;
  return stored;
}

}  // namespace viewcount
