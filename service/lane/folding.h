// Folding turns views into counts, under the settings that each site has at one place of the journal.
//
// Folding is a pure function of the journal (docs/PROTOCOL.md, "Folding as a pure function of the journal"). The lane
// folds each batch when it takes it. Folding the same records again, with the settings that precede them, gives the
// same counts.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "service/base/check.h"
#include "service/lane/adjustment.h"
#include "service/lane/chunk.h"
#include "service/model/views_request.h"
#include "service/sites/site.h"
#include "service/store/viewer_set.h"

namespace viewcount {

// The settings of all sites at one place of the journal, and the code that folds views under them. Not thread-safe:
// used by one thread at a time.
class Folding {
 public:
  // From this call on the site's views are folded under these settings.
  void ApplySite(std::shared_ptr<const Site> site);
  // Returns the settings in force, or null for a site that is not known here.
  std::shared_ptr<const Site> Find(SiteIndex site) const;
  // Returns the settings of all known sites.
  std::vector<std::shared_ptr<const Site>> sites() const;
  // Drops the references to chunks that views were folded into. Call it before such a chunk is destroyed.
  void ForgetChunks();

  // Adds each view to the chunk that `chunk_of(Shard)` returns. A null chunk means that the view is skipped. The site
  // must be known. Returns how many views by people were added.
  template <typename ChunkOf>
  int64_t Fold(SiteIndex site, std::span<const DecodedView> views, ChunkOf chunk_of) {
    VIEWCOUNT_CHECK(site.value < sites_.size() && sites_[site.value]);
    SiteState& state = *sites_[site.value];
    uint64_t added = 0;
    while (!views.empty()) {
      const auto group = views.first(std::min(views.size(), kGroupViews));
      added += FoldGroup(state, group, chunk_of);
      views = views.subspan(group.size());
    }
    return static_cast<int64_t>(added);
  }

  // Adds each change of an adjustment to the chunk that `chunk_of(Shard)` returns. Its note goes to the chunk of the
  // site's empty article ID, if there is a note. The site must be known. Returns by how much the site's total changes.
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
    if (adjustment.note_field.empty()) return added;
    const uint64_t note_hash = ArticleHash(seed, "");
    Chunk* const chunk = chunk_of(ShardOf(note_hash));
    if (chunk != nullptr) chunk->AddNote(site, note_hash, {adjustment.note_field, adjustment.note_text});
    return added;
  }

 private:
  // The number of views whose articles are loaded from memory at the same time. It is more than the processor can have
  // under way at the same time, and few enough to stay in its nearest cache.
  static constexpr size_t kGroupViews = 32;

  struct SiteState {
    std::shared_ptr<const Site> site;
    SiteCalendar calendar;
    // The hash of the site's empty article ID.
    uint64_t hash = 0;
    // BucketOf caches its last result here, since views arrive in order of time.
    const Chunk* chunk = nullptr;
    SiteCalendar::Slot slot;
    uint32_t bucket = 0;
  };

  template <typename ChunkOf>
  static uint64_t FoldGroup(SiteState& state, std::span<const DecodedView> views, ChunkOf& chunk_of) {
    struct Place {
      std::string_view id;
      uint64_t hash;
      Chunk* chunk;
      Chunk::Article* expected;
    };
    std::array<Place, kGroupViews> places;
    const uint64_t seed = state.site->seed;
    const Aliases* const aliases = state.site->aliases.get();
    bool known_viewers = false;
    for (size_t i = 0; i < views.size(); ++i) {
      Place& place = places[i];
      known_viewers |= views[i].viewer != 0;
      place.id = aliases == nullptr ? views[i].article_id : aliases->Resolve(views[i].article_id);
      place.hash = ArticleHash(seed, place.id);
      place.chunk = chunk_of(ShardOf(place.hash));
      if (place.chunk != nullptr) place.chunk->Prefetch(place.hash);
    }
    for (size_t i = 0; i < views.size(); ++i) {
      Place& place = places[i];
      place.expected = place.chunk == nullptr ? nullptr : place.chunk->Expect(place.hash);
    }
    uint64_t added = 0;
    for (size_t i = 0; i < views.size(); ++i) {
      const Place& place = places[i];
      if (place.chunk == nullptr) continue;
      const DecodedView& view = views[i];
      if (view.too_soon()) continue;
      const uint32_t bucket = BucketOf(state, *place.chunk, view.event_time_unix_ms);
      const Chunk::Article& article =
          place.chunk->Add(state.site->index, place.hash, place.id, bucket, view.count, view.bot, place.expected);
      added += view.bot ? 0 : view.count;
      if (view.by_known_viewer()) place.chunk->NoteViewer(article, view.viewer);
    }
    if (known_viewers) NoteVisitors(state, views, chunk_of);
    return added;
  }

  // Records viewers and visits of the site. They belong to the site's own shard, which is the shard of its empty
  // article ID.
  template <typename ChunkOf>
  static void NoteVisitors(SiteState& state, std::span<const DecodedView> views, ChunkOf& chunk_of) {
    for (const DecodedView& view : views) {
      if (!view.by_known_viewer()) continue;
      Chunk* const chunk = chunk_of(ShardOf(state.hash));
      if (chunk == nullptr) return;
      const uint32_t bucket = BucketOf(state, *chunk, view.event_time_unix_ms);
      // A viewer whose visit continues was recorded when the visit began. That was on this day, unless the day has just
      // begun and the viewer has a new number since.
      const int64_t of_day_ms = view.event_time_unix_ms - state.slot.day_begin_ms;
      const bool known = !view.begins_visit && of_day_ms > 2 * std::chrono::milliseconds(limits::kVisitPause).count();
      chunk->NoteSiteViewer(bucket, OnlineSlotOf(view.event_time_unix_ms), view.viewer, known);
      if (view.begins_visit) chunk->CountVisit(bucket, state.hash);
    }
  }

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
