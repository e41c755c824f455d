// How views become counts: each site's settings as of one place in the journal.
//
// Folding is a pure function of the journal (DESIGN.md section 4): the lane folds what it takes, and whoever folds the
// same records again, with the settings that stand before them, gets the same counts.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "service/base/check.h"
#include "service/ingest/views_request.h"
#include "service/lane/adjustment.h"
#include "service/lane/chunk.h"
#include "service/sites/site.h"

namespace viewcount {

// One thread at a time.
class Folding {
 public:
  // From here on the site's views are folded under these settings.
  void ApplySite(std::shared_ptr<const Site> site);
  // The settings in force; null for a site that is not known here.
  std::shared_ptr<const Site> Find(SiteIndex site) const;
  std::vector<std::shared_ptr<const Site>> sites() const;
  // To be called before a chunk that was folded into goes away.
  void ForgetChunks();

  // Adds each view to the chunk that `chunk_of(Shard)` says, or to none if that is null. The site must be known.
  // Returns how many of people's views were added.
  template <typename ChunkOf>
  int64_t Fold(SiteIndex site, std::span<const DecodedView> views, ChunkOf chunk_of) {
    VIEWCOUNT_CHECK(site.value < sites_.size() && sites_[site.value]);
    SiteState& state = *sites_[site.value];
    const uint64_t seed = state.site->seed;
    const Aliases* const aliases = state.site->aliases.get();
    uint64_t added = 0;
    for (const DecodedView& view : views) {
      std::string_view id = view.article_id;
      if (aliases != nullptr) id = aliases->Resolve(id);
      const uint64_t hash = ArticleHash(seed, id);
      Chunk* const chunk = chunk_of(ShardOf(hash));
      if (chunk == nullptr) continue;
      chunk->Add(site, hash, id, BucketOf(state, *chunk, view.event_time_unix_ms), view.count, view.bot);
      added += view.bot ? 0 : view.count;
    }
    return static_cast<int64_t>(added);
  }

  // Adds each change of an adjustment to the chunk that `chunk_of(Shard)` says, and its note to that of the site's
  // empty article ID. The site must be known. Returns by how much that changes the site's total.
  template <typename ChunkOf>
  int64_t Fold(SiteIndex site, const Adjustment& adjustment, ChunkOf chunk_of) {
    VIEWCOUNT_CHECK(site.value < sites_.size() && sites_[site.value]);
    const uint64_t seed = sites_[site.value]->site->seed;
    int64_t added = 0;
    for (const auto& change : adjustment.message.changes()) {
      const uint64_t hash = ArticleHash(seed, change.article_id());
      Chunk* const chunk = chunk_of(ShardOf(hash));
      if (chunk == nullptr) continue;
      for (const auto& window : change.windows()) {
        const Window changed = WindowOf(window);
        chunk->Adjust(site, hash, change.article_id(), changed, window.views());
        if (changed.kind == Window::Kind::kAllTime) added += window.views();
      }
    }
    const uint64_t note_hash = ArticleHash(seed, "");
    Chunk* const chunk = chunk_of(ShardOf(note_hash));
    if (chunk != nullptr) chunk->AddNote(site, note_hash, {adjustment.note_field, adjustment.note_text});
    return added;
  }

 private:
  struct SiteState {
    std::shared_ptr<const Site> site;
    SiteCalendar calendar;
    // The last answer of BucketOf, since views come in order of time.
    const Chunk* chunk = nullptr;
    SiteCalendar::Slot slot;
    uint32_t bucket = 0;
  };

  static uint32_t BucketOf(SiteState& state, Chunk& chunk, int64_t unix_ms) {
    if (state.chunk != &chunk || !state.slot.Contains(unix_ms)) [[unlikely]] {
      state.slot = state.calendar.SlotOf(unix_ms);
      state.bucket = chunk.BucketIndex({state.site->index, state.slot.hour, state.slot.day});
      state.chunk = &chunk;
    }
    return state.bucket;
  }

  std::vector<std::optional<SiteState>> sites_;
};

}  // namespace viewcount
