// The functions that callers use. The writer's thread is implemented in writer_thread.cc.
#include "client/cpp/writer_impl.h"

#include <absl/strings/str_cat.h>

#include "service/base/limits.h"
#include "service/base/text.h"

namespace viewcount::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A view outside its limits is refused here. Otherwise the service would refuse its whole batch, including the views of
// other callers.
absl::Status Validate(const View& view, int64_t now_unix_ms) {
  if (!IsArticleId(view.article_id)) {
    return absl::InvalidArgumentError("article_id: must be 1 to 512 bytes of UTF-8 without control characters");
  }
  if (view.count > limits::kViewCountMax) return absl::InvalidArgumentError("count: must be 1 to 1,000,000; 0 means 1");
  // The range is checked first, so that the differences below cannot overflow.
  if (view.event_time_unix_ms < 0 || view.event_time_unix_ms > limits::kEventTimeUnixMsMax ||
      (view.event_time_unix_ms != 0 && (view.event_time_unix_ms < now_unix_ms - limits::kEventAgeMax.count() ||
                                        view.event_time_unix_ms > now_unix_ms + limits::kEventAheadMax.count()))) {
    return absl::InvalidArgumentError("event_time_unix_ms: must be at most 24 hours before and 5 minutes after now");
  }
  return absl::OkStatus();
}

int64_t UnixMillis() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Returns a deadline that stays within the clock's range, however long the time-out.
steady_clock::time_point After(milliseconds timeout) {
  return steady_clock::now() + std::min(timeout, milliseconds(std::chrono::hours(24 * 365)));
}

}  // namespace

absl::Status Writer::Impl::Record(const View& given, bool may_wait) {
  View view = given;
  const int64_t now = UnixMillis();
  if (view.count == 0) view.count = 1;
  auto valid = Validate(view, now);
  if (view.event_time_unix_ms == 0 && options_.stamp_event_time) view.event_time_unix_ms = now;
  MutexLock lock(mutex_);
  if (!valid.ok()) {
    statistics_.refused += view.count;
    return valid;
  }
  for (;;) {
    if (closing_) {
      statistics_.refused += view.count;
      return absl::FailedPreconditionError("the writer is closed");
    }
    if (AddIfRoom(view)) return absl::OkStatus();
    if (!may_wait || !options_.block_when_full) {
      statistics_.refused += view.count;
      return absl::ResourceExhaustedError(absl::StrCat("the memory for views that are not acknowledged is full (",
                                                       options_.pending_bytes_max,
                                                       " bytes, option pending_bytes_max)"));
    }
    lock.Wait(done_);
  }
}

bool Writer::Impl::AddIfRoom(const View& view) {
  if (!open_.HasRoomFor(view, options_.batch_entries_max)) SealOpen();
  const size_t cost = open_.CostOf(view);
  // An empty writer accepts any view, so that a very small limit cannot block callers for ever.
  if (statistics_.pending_bytes != 0 && statistics_.pending_bytes + cost > options_.pending_bytes_max) return false;
  if (open_.empty()) {
    open_since_ = steady_clock::now();
    work_.notify_one();
  }
  open_.Add(view);
  statistics_.pending_bytes += cost;
  statistics_.pending += view.count;
  statistics_.recorded += view.count;
  // A full batch is sent immediately, before it reaches its maximum age.
  if (open_.entries() >= options_.batch_entries_max) SealOpen();
  return true;
}

void Writer::Impl::SealOpen() {
  if (open_.empty()) return;
  open_.Seal();
  sealed_.push_back(std::exchange(open_, ViewBatch()));
  ++sealed_count_;
  work_.notify_one();
}

absl::Status Writer::Impl::WaitFor(MutexLock<std::mutex>& lock, uint64_t batches, SteadyTime deadline) {
  const uint64_t dropped_before = dropped_batches_;
  while (done_count_ < batches) {
    if (!lock.WaitUntil(done_, deadline)) break;
  }
  if (dropped_batches_ != dropped_before) {
    return absl::DataLossError(absl::StrCat("views were dropped: ", last_drop_.message()));
  }
  if (done_count_ >= batches) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat(statistics_.pending, " views are not acknowledged yet"));
}

absl::Status Writer::Impl::Flush(milliseconds timeout) {
  MutexLock lock(mutex_);
  SealOpen();
  return WaitFor(lock, sealed_count_, After(timeout));
}

absl::Status Writer::Impl::Close(milliseconds timeout) {
  const MutexLock close_lock(close_mutex_);
  if (close_result_) return *close_result_;
  {
    MutexLock lock(mutex_);
    closing_ = true;
    SealOpen();
    work_.notify_one();
    // Callers of Record that wait for room are woken, because there will be no more room.
    done_.notify_all();
    close_result_ = WaitFor(lock, sealed_count_, After(timeout));
    // The cancellation makes the thread drop every batch that has no acknowledgement yet, one after the other.
    if (done_count_ < sealed_count_) sender_.Cancel();
  }
  thread_.join();
  const MutexLock lock(mutex_);
  if (absl::IsDeadlineExceeded(*close_result_) && statistics_.dropped > 0) {
    close_result_ = absl::DataLossError(absl::StrCat("views were dropped: ", last_drop_.message()));
  }
  return *close_result_;
}

WriterStatistics Writer::Impl::statistics() const {
  const MutexLock lock(mutex_);
  WriterStatistics statistics = statistics_;
  statistics.retries = sender_.retries();
  return statistics;
}

}  // namespace viewcount::client
