// Carries out administrators' changes of counts: computes what to add, has it journaled, and lists the changes later.
//
// Every change becomes a set of deltas, which is journaled as one record of the first lane. A delta is added to the
// counts like a view, so it is as exact, as ordered and as durable as a view. The delta is computed from counts that
// are read just before: those in the store plus everything pending. Views that arrive between the read and the
// journaling are counted in addition.
//
// Only one change is made at a time, so two changes never start from the same counts. That holds within an instance. If
// two administrators set the same count through two instances at the same time, both differences may be added.
//
// Merging an article `from` into an article `into` must be correct while views of both arrive on several lanes. An
// alias is one of the site's settings. Each lane journals settings in order with its batches, and folds by them. So in
// each lane every view of `from` lies either before the alias or after it. Views before it are counted for `from`,
// later ones for `into`.
//
// First the alias is sent to every lane, and the merge waits until each lane has journaled it. From then on nothing can
// be added to `from`, and everything that was added is in the store or pending. Only then the counts of `from` are read
// and moved, as one adjustment. A crash between the two steps leaves counts at `from` that are not shown. Repeating the
// merge moves them. Folding again after a crash reads the same records and gives the same counts, whatever the order of
// the lanes, since counts are sums.
//
// Another instance learns of the alias within a second. It flushes later what it counted for `from` until then. Where
// several instances serve a site, repeat the merge some seconds later to move these views too.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/adjustments/adjustment_log.h"
#include "service/adjustments/alias_setter.h"
#include "service/adjustments/count_survey.h"
#include "service/base/async_event.h"
#include "service/base/clock.h"
#include "service/lane/lane.h"
#include "service/query/count_reader.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"
#include "service/store/site_store.h"
#include "service/store/snapshot_store.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// Carries out administrators' requests. Not thread-safe: used on the store's executor only. Everything that `parts`
// refers to must outlive the adjuster, and the adjuster must outlive its coroutines.
class Adjuster {
 public:
  // The objects that the adjuster works with.
  struct Dependencies {
    SiteDirectory& sites;
    CountStore& store;
    SiteStore& site_store;
    CountReader& counts;
    SiteTotalReader& totals;
    // There must be at least one lane. The first one journals all adjustments.
    std::vector<Lane*> lanes;
    std::vector<Ledger*> ledgers;
    const Clock& clock;
  };
  Adjuster(const boost::asio::any_io_executor& executor, Dependencies parts);

  // Each function returns when its change is on disk and every read of this instance shows it. The response names the
  // adjustment. Errors: INVALID_ARGUMENT names the field. NOT_FOUND means that the site or the adjustment does not
  // exist. FAILED_PRECONDITION means that the change is not possible now. RESOURCE_EXHAUSTED is returned at a limit.
  // Errors of the store come with RetryInfo. After an error no count was changed. Merge and Undo may have set an alias
  // already: repeat the call.
  boost::asio::awaitable<absl::Status> Set(const v1::SetCountsRequest& request, v1::SetCountsResponse& response);
  boost::asio::awaitable<absl::Status> Delete(const v1::DeleteArticlesRequest& request,
                                              v1::DeleteArticlesResponse& response);
  boost::asio::awaitable<absl::Status> Normalize(const v1::NormalizeArticlesRequest& request,
                                                 v1::NormalizeArticlesResponse& response);
  boost::asio::awaitable<absl::Status> Merge(const v1::MergeArticlesRequest& request,
                                             v1::MergeArticlesResponse& response);
  boost::asio::awaitable<absl::Status> Undo(const v1::UndoAdjustmentRequest& request,
                                            v1::UndoAdjustmentResponse& response);
  // Journals an adjustment that changes no count, to record an action that was done elsewhere. `description` says what
  // was done.
  boost::asio::awaitable<absl::Status> Note(const std::string& site_name, const v1::Provenance& provenance,
                                            const std::string& description);
  // Journals a part of an import in the lane of its writer. The message has everything but its site's name, and a time
  // unless it is 0. A note then gets the present time. Each change goes to the article for which its own is counted
  // now. With `check`, FAILED_PRECONDITION with reason CHANGED_SINCE is returned if a count would fall below 0 or
  // exceed 2^53. `admit` is called when no other change is under way, and its error is returned. Returns the errors of
  // Lane::Submit as well. After an error nothing was changed.
  boost::asio::awaitable<absl::Status> Import(const std::string& site_name, journal::v1::Adjustment& message,
                                              bool check, const std::function<absl::Status()>& admit);
  // Returns what adjustments of the site itself, and repairs, added to its sums of views, by window. No adjustment is
  // pending meanwhile, because `flush` runs first and other changes wait. Errors are those of `flush` and of the store.
  boost::asio::awaitable<absl::StatusOr<std::map<Window, int64_t>>> ReadStartValues(
      std::shared_ptr<const Site> site, SnapshotStore& store,
      std::function<boost::asio::awaitable<absl::Status>()> flush);
  // Lists the adjustments of a site, newest first, one page per call.
  boost::asio::awaitable<absl::Status> List(const v1::ListAdjustmentsRequest& request,
                                            v1::ListAdjustmentsResponse& response);

 private:
  // The state by which changes wait for each other. It is shared, because a coroutine that never ended may outlive the
  // adjuster.
  struct AsyncMutex {
    explicit AsyncMutex(const boost::asio::any_io_executor& executor) : left(executor) {}
    // Changes wait for this event until it is their turn.
    AsyncEvent left;
    bool busy = false;
    size_t waiting = 0;
  };
  // The turn of one change. The caller of Enter creates it; its destructor lets the next change begin.
  class Lock {
   public:
    explicit Lock(std::shared_ptr<AsyncMutex> mutex) : mutex_(std::move(mutex)) {}
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() {
      mutex_->busy = false;
      mutex_->left.NotifyAll();
    }

   private:
    const std::shared_ptr<AsyncMutex> mutex_;
  };

  // Waits until no other change is under way. Returns RESOURCE_EXHAUSTED if limits::kAdjustmentsWaitingMax changes wait
  // already.
  boost::asio::awaitable<absl::Status> Enter();
  // Returns an adjustment with a new ID and time, and without changes.
  journal::v1::Adjustment Begin(const Site& site, const v1::Provenance& provenance, journal::v1::AdjustmentKind kind);
  // Has the adjustment journaled and folded, and waits for that. A part of an import goes to the lane of its writer,
  // all others go to the first lane.
  boost::asio::awaitable<absl::Status> Journal(SiteIndex site, journal::v1::Adjustment message);
  // Returns the present count in a window: the views of an article, or those of the whole site if `id` is empty. The
  // window kVisits gives the site's visits.
  boost::asio::awaitable<absl::StatusOr<int64_t>> Present(std::shared_ptr<const Site> site, const std::string& id,
                                                          Window window);
  // Makes every lane count `from` for `into` from now on, or for itself if `into` is empty. Records the alias in the
  // message.
  boost::asio::awaitable<absl::Status> SetAlias(std::shared_ptr<const Site> site, const std::string& from,
                                                const std::string& into, journal::v1::Adjustment& message);
  // Adds to the message the changes that move all counts of an alias to the article for which it is counted.
  boost::asio::awaitable<absl::Status> PutMoves(const std::string& site_name, const std::string& from,
                                                journal::v1::Adjustment& message);
  // Adds to the message the changes that revert an adjustment, including its alias.
  boost::asio::awaitable<absl::Status> PutUndo(std::shared_ptr<const Site> site, const AdjustmentLog& log,
                                               const journal::v1::Adjustment& undone, journal::v1::Adjustment& message);
  // Returns FAILED_PRECONDITION if one of the changes would take a count below 0 or above 2^53.
  boost::asio::awaitable<absl::Status> CheckChanges(std::shared_ptr<const Site> site,
                                                    const journal::v1::Adjustment& message);

  Dependencies parts_;
  CountSurvey survey_;
  AliasSetter aliases_;
  const std::shared_ptr<AsyncMutex> mutex_;
  int64_t last_unix_ms_ = 0;
};

}  // namespace viewcount
