// A part: the values that the store adds in one atomic step, and the result of the step.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/identifiers.h"
#include "service/base/limits.h"
#include "service/model/cursor.h"
#include "service/model/window.h"
#include "service/store/viewer_set.h"

namespace viewcount {

// The number to add to one article, from −2^53 to 2^53. The caller owns `article_id`.
struct ArticleDelta {
  std::string_view article_id;
  int64_t views = 0;
};

// The numbers to add to one hash. Each article occurs at most once.
struct HashDelta {
  std::string_view site;
  Window window;
  // Views are above zero. An adjustment may lower counts. Its empty article ID stands for the site's start value, which
  // changes the shard's sum alone. Views of all time belong to a day as well, unless their day is not kept any more.
  std::vector<ArticleDelta> deltas;
  // True for an administrator's change, false for views.
  bool adjustment = false;
  // How long the hash is kept from now on. Only for hours; other hashes do not expire.
  std::chrono::hours kept = limits::kHourKeysExpireAfter;
};

// A record for people to read that says which administrator changed which count, and why. The caller owns all texts.
struct Note {
  std::string_view site;
  // Unique within shard and site: a second note with the same field replaces the first one.
  std::string_view field;
  std::string_view text;
};

// A part of a chunk, applied in one atomic step. If the shard's entry of the lane equals (incarnation, expected), the
// step adds everything and stores `next` as the lane's cursor.
struct Part {
  Shard shard;
  LaneId lane;
  Incarnation incarnation;
  Cursor expected;
  Cursor next;
  // Each (site, window) occurs at most once as views and once as an adjustment. The adjustment is applied after the
  // views. A part without hashes only moves the cursor.
  std::vector<HashDelta> hashes = {};
  // Views of this range that will never be counted, because the journal that held them was lost. At most 2^53.
  uint64_t lost = 0;
  std::vector<Note> notes = {};
  // Added before everything else, whether or not the rest of the part is applied. Adding a viewer that is already in a
  // set changes nothing. So whenever the cursor is `next`, these viewers are in their sets.
  std::vector<ViewerSet> viewers = {};
};

// A value that was left out while the rest of a part was applied. An article is left out if its value in the store is
// no number, or if the new count would pass limits::kCountMax in either direction. A whole hash is left out if its type
// or its sum is unusable. A note is left out if its key holds another type; its field is then the article ID, with no
// views.
struct Quarantined {
  std::string key;
  std::string article_id;
  int64_t views = 0;
  bool adjustment = false;
};

struct ApplyResult {
  // False if nothing was written, because `stored` is not the expected entry.
  bool applied = false;
  // The entry that the shard holds for the lane; nothing if it holds none. Set only if the part was not applied.
  std::optional<std::string> stored;
  std::vector<Quarantined> set_aside;
};

}  // namespace viewcount
