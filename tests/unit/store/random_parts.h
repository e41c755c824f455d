// Generates random parts of a few lanes over a few articles. ContentOf() returns all answers of a store about them as
// text.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "service/base/limits.h"
#include "service/store/count_store.h"

namespace viewcount {

inline const std::vector<std::string> kRandomSites = {"demo", "other"};
inline const std::vector<std::string> kRandomIds = {"a", "b",    "B",   "/news/1", "/news/10",
                                                    "é", "z %s", "1e3", "日本",    "-"};
inline const std::vector<Window> kRandomWindows = {{Window::Kind::kAllTime, 0},
                                                   {Window::Kind::kDay, 20261122},
                                                   {Window::Kind::kDay, 20261123},
                                                   {Window::Kind::kHour, 498'733},
                                                   {Window::Kind::kBots, 0}};
inline constexpr uint8_t kRandomShards = 2;

// Not thread-safe. The texts that parts point to are never destroyed.
class RandomParts {
 public:
  explicit RandomParts(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  Shard AnyShard() { return Shard{static_cast<uint8_t>(Below(kRandomShards))}; }

  // Returns a part without a lane and cursors.
  Part AnyPart() {
    Part part{.shard = AnyShard()};
    if (Below(8) == 0) return part;
    for (const std::string& site : kRandomSites) {
      for (const Window& window : kRandomWindows) {
        for (const bool adjustment : {false, true}) {
          if (Below(4) == 0) part.hashes.push_back({site, window, AnyDeltas(adjustment), adjustment});
        }
      }
    }
    std::shuffle(part.hashes.begin(), part.hashes.end(), random_);
    if (Below(4) == 0) part.lost = Below(100);
    for (uint64_t notes = Below(3); notes > 0; --notes) {
      part.notes.push_back({kRandomSites[Below(2)], kRandomIds[Below(kRandomIds.size())], kRandomIds[Below(3)]});
    }
    return part;
  }

 private:
  std::vector<ArticleDelta> AnyDeltas(bool adjustment) {
    std::vector<ArticleDelta> deltas;
    if (adjustment && Below(3) == 0) deltas.push_back({"", AnyViews(true)});
    for (const std::string& id : kRandomIds) {
      if (Below(3) == 0) deltas.push_back({id, AnyViews(adjustment)});
    }
    std::shuffle(deltas.begin(), deltas.end(), random_);
    return deltas;
  }

  // Most numbers are small, so that there are ties and zeros. Some are near the limit.
  int64_t AnyViews(bool adjustment) {
    const auto max = static_cast<int64_t>(limits::kCountMax);
    const auto small = static_cast<int64_t>(1 + Below(4));
    if (!adjustment) return Below(100) == 0 ? max - small + 1 : small;
    switch (Below(40)) {
      case 0:
        return max - small;
      case 1:
        return small - max;
      default:
        return Below(3) == 0 ? small : -small;
    }
  }

  std::mt19937_64 random_;
};

// Returns all answers of the store about `lanes` and about the keys that RandomParts changes, line by line.
template <typename Rig>
std::string ContentOf(Rig& rig, const std::vector<LaneId>& lanes) {
  std::string content;
  const auto line = [&](auto... parts) { ((content += parts, content += ' '), ...), content += '\n'; };
  std::vector<std::string_view> ids = {""};
  ids.insert(ids.end(), kRandomIds.begin(), kRandomIds.end());
  for (uint8_t i = 0; i < kRandomShards; ++i) {
    const Shard shard{i};
    for (const LaneId& lane : lanes) {
      const StoredLane stored = *rig.Await(rig.store().ReadLane(shard, lane));
      line("lane", ToHex(lane), stored.entry ? stored.entry->cursor.ToString() : "-",
           stored.entry ? ToHex(stored.entry->incarnation) : "-", std::to_string(stored.totals.views),
           std::to_string(stored.totals.set_aside), std::to_string(stored.totals.adjusted),
           std::to_string(stored.totals.lost));
    }
    for (const std::string& site : kRandomSites) {
      const ShardCounts counts = *rig.Await(rig.store().ReadCounts(shard, lanes, site, kRandomWindows, ids));
      for (size_t window = 0; window < kRandomWindows.size(); ++window) {
        line(site, "window", std::to_string(window));
        for (size_t id = 0; id < ids.size(); ++id) line(ids[id], std::to_string(counts.counts[window][id]));
        if (kRandomWindows[window].kind == Window::Kind::kBots) continue;
        const std::vector<WindowRead> reads = {
            {.window = kRandomWindows[window], .places = limits::kRankedAllTimeAndDay}};
        const Ranking ranking = rig.Await(rig.store().ReadWindows(shard, lanes, site, reads))->windows.front().ranking;
        line("ranking", std::to_string(ranking.unlisted_views_max));
        for (const RankedCount& article : ranking.articles) line(article.article_id, std::to_string(article.views));
      }
      const auto notes = *rig.Await(rig.store().ReadNotes(shard, site));
      for (const StoredNote& note : notes) line("note", note.field, note.text);
    }
  }
  return content;
}

}  // namespace viewcount
