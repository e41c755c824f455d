#include "service/server/store_meeting.h"

#include <spdlog/spdlog.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// The pause between two attempts while the store is becoming available.
constexpr std::chrono::milliseconds kMeetingPause{100};
// The pause between two attempts after an error that an operator must fix. It is longer, because an attempt may read
// the whole journal.
constexpr std::chrono::milliseconds kLongPause{2'000};

// Counts a coroutine while it runs.
class Running {
 public:
  explicit Running(int& count) : count_(count) { ++count_; }
  ~Running() { --count_; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  int& count_;
};

}  // namespace

bool StoreMeeting::MayPass(const absl::Status& status) const {
  // The memory of the store may be full, which ends when an operator adds memory.
  if (IsTransient(status) || absl::IsResourceExhausted(status)) return true;
  return without_ && !absl::IsCancelled(status) && ReasonOf(status) != "FENCED";
}

void StoreMeeting::LogWait(const absl::Status& status) {
  // The store itself logs that it is unavailable.
  if (!without_ || IsTransient(status)) return;
  if (!wait_lines_.Take(parts_.clock.Now())) return;
  spdlog::error("views are taken and journaled, but none is brought into Redis until this is put right: {}",
                ToStd(status.message()));
}

template <typename Attempt>
asio::awaitable<absl::Status> StoreMeeting::RetryWhileUnavailable(Attempt attempt) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (true) {
    absl::Status status = co_await attempt();
    if (stopped_) co_return absl::CancelledError("the service is stopping");
    if (status.ok() || !MayPass(status)) co_return status;
    LogWait(status);
    pause.expires_after(IsTransient(status) ? kMeetingPause : kLongPause);
    co_await pause.async_wait(asio::use_awaitable);
    if (stopped_) co_return absl::CancelledError("the service is stopping");
  }
}

asio::awaitable<absl::Status> StoreMeeting::Prepare() {
  const Running running(running_);
  const auto open = [this] { return parts_.store.Open(); };
  absl::Status status = co_await RetryWhileUnavailable(open);
  if (status.ok()) {
    const auto prepare = [this] { return PrepareOnce(); };
    status = co_await RetryWhileUnavailable(prepare);
  }
  if (without_ && ReasonOf(status) == "FENCED") options_.fenced(status);
  prepared_ = status;
  co_return status;
}

asio::awaitable<absl::Status> StoreMeeting::PrepareOnce() {
  absl::Status status = co_await parts_.keeper.Refresh();
  if (status.ok()) {
    sites_read_ = true;
    parts_.sites.SetIncomplete(false);
  }
  if (status.ok()) status = co_await parts_.keeper.Create(options_.sites);
  if (status.ok()) status = co_await parts_.salts.Refresh();
  if (status.ok()) status = co_await parts_.lanes.Settle(parts_.store);
  co_return status;
}

asio::awaitable<absl::Status> StoreMeeting::GoOnWithout() {
  if (prepared_ && !prepared_->ok()) co_return *prepared_;
  if (recovered_) co_return *recovered_;
  // This coroutine does not suspend, so no other coroutine of this thread runs before it returns.
  if (auto status = parts_.lanes.BeginUnchecked(); !status.ok()) co_return status;
  for (const std::string& name : options_.sites) {
    if (parts_.sites.Find(name) != nullptr) continue;
    auto site = MakeSite(name, {});
    if (!site.ok()) co_return site.status();
    if (auto put = parts_.sites.Put(*std::move(site)); !put.ok()) co_return put.status();
    spdlog::warn("the settings of site \"{}\" are not known before Redis comes; until then it has those of a new site",
                 name);
  }
  parts_.sites.SetIncomplete(!sites_read_);
  without_ = true;
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> StoreMeeting::Recover(AppliedListener& listener) {
  const Running running(running_);
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (!prepared_) {
    pause.expires_after(kMeetingPause);
    co_await pause.async_wait(asio::use_awaitable);
  }
  if (!prepared_->ok()) co_return *prepared_;
  const LaneSet::FlushParts parts{
      .store = parts_.store, .listener = listener, .interval = options_.flush_interval, .fenced = options_.fenced};
  const auto start = [&] { return parts_.lanes.StartFlushing(parts); };
  recovered_ = co_await RetryWhileUnavailable(start);
  co_return *recovered_;
}

asio::awaitable<void> StoreMeeting::Stop() {
  stopped_ = true;
  if (!recovered_) parts_.store.Close();
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (running_ > 0) {
    pause.expires_after(std::chrono::milliseconds(5));
    co_await pause.async_wait(asio::use_awaitable);
  }
}

}  // namespace viewcount
