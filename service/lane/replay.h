// Goes through a lane's journal record by record, as the lane itself did when it wrote them.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <set>
#include <string>

#include "service/ingest/views_request.h"
#include "service/journal/journal_reader.h"
#include "service/lane/refold.h"

namespace viewcount {

// What a journal says, decoded.
struct ReplayedBatch {
  SiteIndex site;
  int64_t receipt_unix_ms = 0;
  const ViewsRequest& request;
};

// One thread. Keeps the settings as of the record it stands at.
class Replay {
 public:
  struct Handlers {
    // Before each record; may end the walk with an error.
    std::function<absl::Status(const Record&)> record;
    // A batch, with `folding` as of it.
    std::function<void(const Record&, const ReplayedBatch&, Folding& folding)> views;
    // The same for an adjustment.
    std::function<void(const Record&, SiteIndex site, const Adjustment&, Folding& folding)> adjustment;
    std::function<void(const JournaledTotals&)> totals;
  };
  Replay(const JournalSource& source, Handlers handlers) : source_(source), handlers_(std::move(handlers)) {}

  // Walks from the start of the segment that holds `from` to `to`. Sites and aliases that the directory does not know
  // are put into it, with the last settings that they had. Errors as of JournalReader; DATA_LOSS for a record that
  // cannot be understood.
  absl::Status Run(Position from, Position to);
  Folding& folding() { return folding_; }

 private:
  absl::Status Handle(const Record& record);
  absl::Status HandleViews(const Record& record);
  absl::Status HandleAdjustment(const Record& record);
  absl::Status HandleSite(const Record& record);
  // The index of a site whose settings were met; DATA_LOSS for another.
  absl::StatusOr<SiteIndex> KnownSite(std::string_view name) const;

  const JournalSource& source_;
  const Handlers handlers_;
  Folding folding_;
  // Sites that this walk put into the directory.
  std::set<std::string> added_;
  ViewsRequest request_;
};

}  // namespace viewcount
