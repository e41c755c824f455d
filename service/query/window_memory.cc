#include "service/query/window_memory.h"

#include <algorithm>

namespace viewcount {
namespace {

// An ID takes as much memory as this many places or counts.
constexpr size_t kEntriesOfId = 6;
// Counting the entries takes some time, so it is done for one of this many calls. Each call adds a few thousand at
// most.
constexpr size_t kCallsPerCount = 64;

}  // namespace

uint32_t ArticleNumbers::Assign(std::string_view id) {
  if (const auto number = Find(id)) return *number;
  const auto number = static_cast<uint32_t>(ids_.size());
  numbers_.emplace(ids_.emplace_back(id), number);
  return number;
}

std::optional<uint32_t> ArticleNumbers::Find(std::string_view id) const {
  const auto at = numbers_.find(id);
  return at == numbers_.end() ? std::nullopt : std::optional(at->second);
}

const ShardMemory::Known* ShardMemory::Find(Window window) const {
  const auto at = windows_.find(window);
  return at == windows_.end() ? nullptr : &at->second;
}

const ShardMemory::Known* ShardMemory::FindSteady(Window window) const {
  const Known* known = Find(window);
  return known == nullptr || known->changing ? nullptr : known;
}

std::vector<std::optional<uint32_t>> ShardMemory::NumbersOf(std::span<const std::string_view> ids) const {
  std::vector<std::optional<uint32_t>> numbers;
  numbers.reserve(ids.size());
  for (const std::string_view id : ids) numbers.push_back(numbers_->Find(id));
  return numbers;
}

std::vector<WindowRead> ShardMemory::PlanRankings(std::span<const Window> windows, size_t places) const {
  std::vector<WindowRead> reads;
  reads.reserve(windows.size());
  for (const Window window : windows) {
    const Known* known = FindSteady(window);
    reads.push_back({.window = window, .places = known != nullptr && known->places >= places ? 0 : places});
  }
  return reads;
}

std::vector<WindowRead> ShardMemory::PlanCounts(std::span<const Window> windows,
                                                std::span<const std::string_view> ids) const {
  const auto numbers = NumbersOf(ids);
  std::vector<WindowRead> reads;
  reads.reserve(windows.size());
  for (const Window window : windows) {
    WindowRead& read = reads.emplace_back(WindowRead{.window = window});
    const Known* known = FindSteady(window);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (known == nullptr || !numbers[i] || !known->counts.contains(*numbers[i])) read.ids.push_back(ids[i]);
    }
  }
  return reads;
}

std::vector<size_t> ShardMemory::CountUnknown(std::span<const Window> windows,
                                              std::span<const std::string_view> ids) const {
  const auto numbers = NumbersOf(ids);
  std::vector<size_t> unknown(ids.size());
  for (const Window window : windows) {
    const Known* known = FindSteady(window);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (known == nullptr || !numbers[i] || !known->counts.contains(*numbers[i])) ++unknown[i];
    }
  }
  return unknown;
}

void ShardMemory::Learn(std::span<const WindowRead> reads, std::span<const WindowState> states) {
  ++uses_;
  for (size_t i = 0; i < reads.size(); ++i) {
    const WindowRead& read = reads[i];
    const WindowState& state = states[i];
    const auto [at, is_new] = windows_.try_emplace(read.window);
    Known& known = at->second;
    const bool changed = known.version != state.version;
    if (changed) known = {.version = state.version};
    known.changing = changed && !is_new;
    known.used = uses_;
    if (read.places > known.places) {
      known.places = read.places;
      known.ranked.clear();
      known.ranked.reserve(state.ranking.articles.size());
      for (const RankedCount& ranked : state.ranking.articles) {
        known.ranked.push_back({numbers_->Assign(ranked.article_id), ranked.views});
      }
      known.unlisted_views_max = state.ranking.unlisted_views_max;
    }
    for (size_t id = 0; id < read.ids.size(); ++id) known.counts[numbers_->Assign(read.ids[id])] = state.counts[id];
  }
}

std::optional<std::vector<NumberedRanking>> ShardMemory::FindRankings(std::span<const Window> windows,
                                                                      size_t places) const {
  std::vector<NumberedRanking> rankings;
  rankings.reserve(windows.size());
  for (const Window window : windows) {
    const Known* known = Find(window);
    if (known == nullptr || known->places < places) return std::nullopt;
    NumberedRanking& ranking = rankings.emplace_back(NumberedRanking{known->ranked, known->unlisted_views_max});
    if (ranking.places.size() <= places) continue;
    ranking.places = ranking.places.first(places);
    ranking.unlisted_views_max = static_cast<uint64_t>(std::max<int64_t>(1, ranking.places.back().views));
  }
  return rankings;
}

std::optional<std::vector<int64_t>> ShardMemory::FindSums(const WeightedWindows& windows,
                                                          std::span<const std::string_view> ids) const {
  const auto numbers = NumbersOf(ids);
  std::vector<int64_t> sums(ids.size());
  for (size_t window = 0; window < windows.windows.size(); ++window) {
    const Known* known = Find(windows.windows[window]);
    if (known == nullptr) return std::nullopt;
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto count = numbers[i] ? known->counts.find(*numbers[i]) : known->counts.end();
      if (count == known->counts.end()) return std::nullopt;
      sums[i] += windows.Weigh(window, count->second);
    }
  }
  return sums;
}

size_t ShardMemory::entries() const {
  size_t entries = kEntriesOfId * numbers_->size();
  for (const auto& [window, known] : windows_) entries += kEntriesOfId + known.ranked.size() + known.counts.size();
  return entries;
}

ShardMemory& WindowMemory::Of(SiteIndex site, Shard shard, uint64_t generation) {
  if (std::exchange(generation_, generation) != generation) shards_.clear();
  if (++calls_ % kCallsPerCount == 0) Trim();
  return shards_[{site, shard}];
}

void WindowMemory::Forget(SiteIndex site, Shard shard) { shards_.erase({site, shard}); }

size_t WindowMemory::entries() const {
  size_t entries = 0;
  for (const auto& [key, shard] : shards_) entries += shard.entries();
  return entries;
}

void WindowMemory::Trim() {
  if (entries() <= entries_max_) return;
  for (auto& [key, shard] : shards_) {
    std::vector<uint64_t> used;
    for (const auto& [window, known] : shard.windows_) used.push_back(known.used);
    if (used.empty()) continue;
    const auto middle = used.begin() + static_cast<ptrdiff_t>(used.size() / 2);
    std::ranges::nth_element(used, middle);
    std::erase_if(shard.windows_, [&](const auto& window) { return window.second.used < *middle; });
  }
  // The IDs are not forgotten one by one.
  if (entries() > entries_max_ - entries_max_ / 4) shards_.clear();
}

}  // namespace viewcount
