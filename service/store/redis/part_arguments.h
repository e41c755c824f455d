// A part as the apply script takes it, and the script's answer as a result.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/packed_lists.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// KEYS and ARGV of scripts/apply.lua. Points into the part, which must live longer.
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
  // What to add to the hash; views in order of the articles' bytes, as those of a chunk are already.
  const std::vector<ArticleDelta>& InOrder(const HashDelta& hash);
  // Gives `key` its number in KEYS.
  std::string_view AddKey(std::string key);
  std::string_view Keep(std::string text) { return owned_.emplace_back(std::move(text)); }

  // Texts that are not in the part; a deque so that they stay where they are.
  std::deque<std::string> owned_;
  std::deque<std::vector<ArticleDelta>> sorted_;
  PackedLists lists_;
  std::vector<std::string_view> keys_;
  std::vector<std::string_view> words_;
};

// DATA_LOSS for totals that are no numbers, or an answer that the script does not give.
absl::StatusOr<ApplyResult> ApplyResultOf(const Part& part, const Reply& reply);

}  // namespace viewcount
