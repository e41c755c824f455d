// A part that owns its texts, for a command that outlives its sender.
#pragma once

#include <deque>
#include <string>

#include "service/store/part.h"

namespace viewcount::simulation {

// A copy of a part and of all its texts. Not thread-safe.
class OwnedPart {
 public:
  explicit OwnedPart(const Part& part) : part_(part) {
    for (HashDelta& hash : part_.hashes) {
      hash.site = Keep(hash.site);
      for (ArticleDelta& delta : hash.deltas) delta.article_id = Keep(delta.article_id);
    }
    for (ViewerSet& set : part_.viewers) {
      set.site = Keep(set.site);
      set.name.article_id = Keep(set.name.article_id);
    }
    for (Note& note : part_.notes) {
      note = {.site = Keep(note.site), .field = Keep(note.field), .text = Keep(note.text)};
    }
  }
  OwnedPart(const OwnedPart&) = delete;
  OwnedPart& operator=(const OwnedPart&) = delete;

  const Part& part() const { return part_; }

 private:
  std::string_view Keep(std::string_view text) { return texts_.emplace_back(text); }

  Part part_;
  std::deque<std::string> texts_;
};

}  // namespace viewcount::simulation
