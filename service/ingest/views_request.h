// A batch of views as the decoder leaves it: numbers, and views into the request's own bytes.
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
  // Milliseconds since 1970; the time of receipt where the request said 0.
  int64_t event_time_unix_ms = 0;
  // At least 1 as decoded. Where the site has a cool-down the lane decides, and the journal keeps it: of a known
  // viewer's view 1, or 0 within the cool-down.
  uint32_t count = 1;
  bool bot = false;
  // The lane's decision, which the journal keeps: the viewer had not been seen for longer than a visit's pause.
  bool begins_visit = false;

  // A person's whom one can tell from others.
  bool by_known_viewer() const { return viewer != 0 && !bot; }
  // Its site's cool-down has left nothing of it.
  bool too_soon() const { return count == 0; }
};

// One validated RecordViewsRequest or StreamViewsRequest (they share fields and numbers). Reusable: decoding into it
// keeps the capacity of its vectors. Valid as long as the bytes it was decoded from.
struct ViewsRequest {
  std::string_view site;
  // None: no dedupe.
  WriterId writer;
  // 0 without a writer, else at least 1.
  uint64_t sequence = 0;
  // At least 1.
  uint32_t sequence_span = 1;
  std::vector<uint64_t> takeovers;
  Durability durability = Durability::kUnspecified;
  bool import = false;
  std::vector<DecodedView> views;
  // Sum of the views' counts. After a failed decode: of those read before the error, for the metrics.
  uint64_t view_count = 0;
  // Those of it that are bots'; no cool-down concerns them.
  uint64_t bot_view_count = 0;
  // How many of `views` are by viewers that are known.
  uint32_t known_viewers = 0;

  // Of the batch's last sequence; 0 without a writer.
  uint64_t last_sequence() const { return sequence == 0 ? 0 : sequence + sequence_span - 1; }
};

}  // namespace viewcount
