// Administrators' changes of counts: works out what to add, has it journaled, and tells of it later.
//
// Every change becomes a set of deltas, journaled as one record of one lane, the first; a delta is added to the counts
// like a view, so it is as exact, as ordered and as durable. What a delta must be follows from counts read just before:
// the store's and everything pending. Views that come between the reading and the journaling are counted on top.
//
// One change is made at a time, so that two of them never work from the same counts. That holds within an instance; two
// administrators who set the same count through two instances at once may both have their difference added.
//
// Merging an article `from` into another, `into`, with views of both arriving on several lanes: an alias is one of the
// site's settings, and each lane journals settings in order with its batches and folds by them. So in each lane every
// view of `from` lies either before the alias, and is counted for `from`, or behind it, and is counted for `into`.
// First the alias goes to every lane, and this waits until each has journaled it: from then on nothing can be added to
// `from` any more, and everything that was is in the store or pending. Only then the counts of `from` are read and
// moved, as one adjustment. A crash between the two leaves counts with `from` that nobody sees: repeating the merge
// moves them. Folding again after a crash goes by the same records and so comes to the same, whatever the order of the
// lanes, since counts are sums. Another instance learns of the alias within a second, and flushes later what it counted
// for `from` until then: where several instances serve a site, repeat the merge some seconds later, which moves what
// was left.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/adjustments/adjustment_log.h"
#include "service/adjustments/alias_setter.h"
#include "service/adjustments/count_survey.h"
#include "service/base/clock.h"
#include "service/lane/lane.h"
#include "service/query/count_reader.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// On the store's executor. What it refers to must outlive it, and it its coroutines.
class Adjuster {
 public:
  struct Parts {
    SiteDirectory& sites;
    CountStore& store;
    CountReader& counts;
    SiteTotalReader& totals;
    // At least one.
    std::vector<Lane*> lanes;
    std::vector<Ledger*> ledgers;
    const Clock& clock;
  };
  Adjuster(const boost::asio::any_io_executor& executor, Parts parts);

  // Each answers when its change is on disk and every read of this instance shows it; the responses name it. Errors:
  // INVALID_ARGUMENT naming the field; NOT_FOUND for the site or the adjustment; FAILED_PRECONDITION for what cannot be
  // done now; RESOURCE_EXHAUSTED; the store's, with RetryInfo. After an error nothing was changed.
  boost::asio::awaitable<absl::Status> Set(const v1::SetCountsRequest& request, v1::SetCountsResponse& response);
  boost::asio::awaitable<absl::Status> Delete(const v1::DeleteArticlesRequest& request,
                                              v1::DeleteArticlesResponse& response);
  boost::asio::awaitable<absl::Status> Merge(const v1::MergeArticlesRequest& request,
                                             v1::MergeArticlesResponse& response);
  boost::asio::awaitable<absl::Status> Undo(const v1::UndoAdjustmentRequest& request,
                                            v1::UndoAdjustmentResponse& response);
  // Journals an adjustment that changes no count: what somebody did elsewhere. `description` says what.
  boost::asio::awaitable<absl::Status> Note(const std::string& site_name, const v1::Provenance& provenance,
                                            const std::string& description);
  boost::asio::awaitable<absl::Status> List(const v1::ListAdjustmentsRequest& request,
                                            v1::ListAdjustmentsResponse& response);

 private:
  // Where changes wait for each other. Shared, because a coroutine that never ended may outlive the adjuster.
  struct Gate {
    explicit Gate(const boost::asio::any_io_executor& executor)
        : left(executor, boost::asio::steady_timer::time_point::max()) {}
    // Waited on by those whose turn has not come; never expires by itself.
    boost::asio::steady_timer left;
    bool busy = false;
    size_t waiting = 0;
  };
  // What Enter's caller holds; lets the next one in when it goes.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      gate_->busy = false;
      gate_->left.cancel();
    }

   private:
    const std::shared_ptr<Gate> gate_;
  };

  // Waits until no other change is under way. RESOURCE_EXHAUSTED if as many wait as may.
  boost::asio::awaitable<absl::Status> Enter();
  // An adjustment with an ID and a time of its own, and no changes yet.
  journal::v1::Adjustment Begin(const Site& site, const v1::Provenance& provenance, journal::v1::AdjustmentKind kind);
  // Has it journaled and folded.
  boost::asio::awaitable<absl::Status> Journal(SiteIndex site, journal::v1::Adjustment message);
  // The present count of an article, all time, or of the whole site: views of all time, or of a site its visits.
  boost::asio::awaitable<absl::StatusOr<int64_t>> Present(std::shared_ptr<const Site> site, const std::string& id,
                                                          Window window);
  // Has `from` counted for `into` in every lane from now on, or for itself if that is empty; notes it in the message.
  boost::asio::awaitable<absl::Status> SetAlias(std::shared_ptr<const Site> site, const std::string& from,
                                                const std::string& into, journal::v1::Adjustment& message);
  // Puts everything that an alias has into the message, to be moved to the article that it is counted for.
  boost::asio::awaitable<absl::Status> PutMoves(const std::string& site_name, const std::string& from,
                                                journal::v1::Adjustment& message);
  // Puts what takes an adjustment back into the message, its alias included.
  boost::asio::awaitable<absl::Status> PutUndo(std::shared_ptr<const Site> site, const AdjustmentLog& log,
                                               const journal::v1::Adjustment& undone, journal::v1::Adjustment& message);
  // FAILED_PRECONDITION if one of the changes would take a count below 0 or above 2^53.
  boost::asio::awaitable<absl::Status> CheckChanges(std::shared_ptr<const Site> site,
                                                    const journal::v1::Adjustment& message);

  Parts parts_;
  CountSurvey survey_;
  AliasSetter aliases_;
  const std::shared_ptr<Gate> gate_;
  int64_t last_unix_ms_ = 0;
};

}  // namespace viewcount
