// A decoded batch of views: numbers, and string views into the request's own bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "service/base/identifiers.h"

namespace viewcount {

// The values of viewcount.v1.Durability.
enum class Durability : uint8_t { kUnspecified = 0, kMemory = 1, kJournaled = 2, kStored = 3 };

// One validated view. `article_id` points into the request's bytes.
struct DecodedView {
  std::string_view article_id;
  uint64_t viewer = 0;
  // Milliseconds since 1970. The time of receipt if the request had 0.
  int64_t event_time_unix_ms = 0;
  // The decoder sets at least 1. If the site has a cool-down, the lane changes the count of a known viewer's view, and
  // the journal keeps its decision. The count is then 1, or 0 within the cool-down.
  uint32_t count = 1;
  bool bot = false;
  // The lane's decision, which the journal keeps. True if the viewer had not been seen for longer than a visit's pause.
  bool begins_visit = false;

  // Returns true if the view is by a person that can be distinguished from others.
  bool by_known_viewer() const { return viewer != 0 && !bot; }
  // Returns true if the site's cool-down has reduced the view's count to 0.
  bool too_soon() const { return count == 0; }
};

// One validated RecordViewsRequest or StreamViewsRequest, which share fields and field numbers. The object is reusable:
// decoding into it keeps the capacity of its vectors. It is valid as long as the bytes from which it was decoded.
struct ViewsRequest {
  std::string_view site;
  // The ID of the writer. None means that duplicates are not recognised.
  WriterId writer;
  // At least 1 with a writer, 0 without one.
  uint64_t sequence = 0;
  // At least 1.
  uint32_t sequence_span = 1;
  std::vector<uint64_t> takeovers;
  Durability durability = Durability::kUnspecified;
  bool import = false;
  std::vector<DecodedView> views;
  // The sum of the views' counts. After a failed decode it covers the views read before the error, for the metrics.
  uint64_t view_count = 0;
  // The part of `view_count` that belongs to bots. No cool-down applies to it.
  uint64_t bot_view_count = 0;
  // The number of `views` that have a viewer, those of bots included.
  uint32_t known_viewers = 0;
  // True if decoding failed at a view that has an address instead of an article ID.
  bool has_address = false;

  // Returns the last sequence number of the batch, or 0 without a writer.
  uint64_t last_sequence() const { return sequence == 0 ? 0 : sequence + sequence_span - 1; }
};

}  // namespace viewcount
