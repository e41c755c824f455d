// A part as the apply script takes it, and the script's answer as a result.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// `<incarnation> <cursor>`: what a shard's lanes hash holds for a lane. Nothing for text that is none.
std::string FormatLaneEntry(const Incarnation& incarnation, const Cursor& cursor);
std::optional<LaneEntry> ParseLaneEntry(std::string_view text);

// KEYS and ARGV of scripts/apply.lua. Points into the part, which must live longer.
class PartArguments {
 public:
  PartArguments(const Part& part, const RankedLimits& ranked);
  PartArguments(const PartArguments&) = delete;
  PartArguments& operator=(const PartArguments&) = delete;

  const std::vector<std::string_view>& keys() const { return keys_; }
  const std::vector<std::string_view>& words() const { return words_; }

 private:
  void AddHash(Shard shard, const HashDelta& hash, const RankedLimits& ranked);
  // Gives `key` its number in KEYS.
  std::string_view AddKey(std::string key);
  std::string_view Keep(std::string text) { return owned_.emplace_back(std::move(text)); }

  // Texts that are not in the part; a deque so that they stay where they are.
  std::deque<std::string> owned_;
  std::vector<std::string_view> keys_;
  std::vector<std::string_view> words_;
};

// DATA_LOSS for an answer that the script does not give.
absl::StatusOr<ApplyResult> ApplyResultOf(const Part& part, const Reply& reply);

}  // namespace viewcount
