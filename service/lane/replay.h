// Walks through a lane's journal record by record, in the order in which the lane wrote it.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <set>
#include <string>

#include "service/journal/journal_reader.h"
#include "service/lane/refold.h"
#include "service/model/views_request.h"

namespace viewcount {

// A batch of views that was decoded from the journal.
struct ReplayedBatch {
  SiteIndex site;
  int64_t receipt_unix_ms = 0;
  const ViewsRequest& request;
};

// Walks through a journal and calls a handler for each record. It keeps the sites' settings as of the present record.
// Not thread-safe.
class Replay {
 public:
  struct Handlers {
    // Called before each record. An error ends the walk.
    std::function<absl::Status(const Record&)> record;
    // Called for each batch. `folding` has the settings at the batch's place.
    std::function<void(const Record&, const ReplayedBatch&, Folding& folding)> views;
    // Called for each adjustment, with the settings at its place.
    std::function<void(const Record&, SiteIndex site, const Adjustment&, Folding& folding)> adjustment;
    // Called for the totals at the beginning of each segment.
    std::function<void(const JournaledTotals&)> totals;
  };
  // `source` must outlive this object. Any handler may be null.
  Replay(const JournalSource& source, Handlers handlers) : source_(source), handlers_(std::move(handlers)) {}

  // Walks from the start of the segment that holds `from` to `to`. Sites and aliases that the directory does not know
  // are added to it with their last settings. Returns the errors of JournalReader, and DATA_LOSS for a record that
  // cannot be understood.
  absl::Status Run(Position from, Position to);
  // Returns the settings after the last record.
  Folding& folding() { return folding_; }

 private:
  absl::Status Handle(const Record& record);
  absl::Status HandleViews(const Record& record);
  absl::Status HandleAdjustment(const Record& record);
  absl::Status HandleSite(const Record& record);
  // Returns the index of a site whose settings were in an earlier record, otherwise DATA_LOSS.
  absl::StatusOr<SiteIndex> KnownSite(std::string_view name) const;

  const JournalSource& source_;
  const Handlers handlers_;
  Folding folding_;
  // The sites that this walk added to the directory.
  std::set<std::string> added_;
  ViewsRequest request_;
};

}  // namespace viewcount
