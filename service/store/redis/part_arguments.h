// Converts a part to the arguments of the apply script, and the script's answer to a result.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/part.h"
#include "service/store/ranked_limits.h"
#include "service/store/redis/packed_lists.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// KEYS and ARGV of scripts/apply.lua. Refers to the part, which must outlive it. Immutable.
class PartArguments {
 public:
  PartArguments(const Part& part, const RankedLimits& ranked);
  PartArguments(const PartArguments&) = delete;
  PartArguments& operator=(const PartArguments&) = delete;

  const std::vector<std::string_view>& keys() const { return keys_; }
  const std::vector<std::string_view>& words() const { return words_; }

 private:
  void AddNotes(const Part& part);
  // `number` stands for the hash in the answer.
  void AddHash(Shard shard, size_t number, const HashDelta& hash, const RankedLimits& ranked);
  // Returns the deltas of the hash. Views are sorted by the articles' bytes; those of a chunk are in this order
  // already.
  const std::vector<ArticleDelta>& InOrder(const HashDelta& hash);
  // Adds `key` to KEYS and returns its number there.
  std::string_view AddKey(std::string key);
  std::string_view Keep(std::string text) { return owned_.emplace_back(std::move(text)); }

  // Texts that are not in the part. A deque, so that they are never moved.
  std::deque<std::string> owned_;
  std::deque<std::vector<ArticleDelta>> sorted_;
  PackedLists lists_;
  std::vector<std::string_view> keys_;
  std::vector<std::string_view> words_;
};

// DATA_LOSS for totals that are not numbers, or for an answer that the script never gives.
absl::StatusOr<ApplyResult> ApplyResultOf(const Part& part, const Reply& reply);

}  // namespace viewcount
