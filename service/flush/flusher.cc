#include "service/flush/flusher.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/wait_group.h"
#include "service/flush/flush_error.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds kLogEvery{10};
// Mismatches in a row before a shard waits for the next try: two lanes would never end otherwise.
constexpr int kMismatchesMax = 3;

double SecondsSince(SteadyTime began, SteadyTime now) { return std::chrono::duration<double>(now - began).count(); }

}  // namespace

Flusher::Flusher(const asio::any_io_executor& executor, Parts parts, Options options)
    : executor_(executor),
      parts_(parts),
      options_(std::move(options)),
      timer_(executor),
      generation_(parts.store.generation()) {}

asio::awaitable<void> Flusher::Run() {
  while (!stopped_) {
    co_await WaitForWork();
    if (stopped_) break;
    // An error was noted; a chunk that is there now brings the next try with it.
    (co_await Verify(nullptr)).IgnoreError();
    if (const auto chunk = parts_.ledger.Seal(); chunk != nullptr) co_await FlushChunk(chunk);
    NoteProgress();
  }
}

void Flusher::Stop() {
  stopped_ = true;
  timer_.cancel();
  NoteProgress();
}

void Flusher::Kick() {
  if (kick_posted_.exchange(true)) return;
  asio::post(executor_, [this] {
    kick_posted_ = false;
    kicked_ = true;
    timer_.cancel();
  });
}

asio::awaitable<void> Flusher::WaitForWork() {
  if (!kicked_) co_await Sleep(options_.interval);
  kicked_ = false;
}

asio::awaitable<void> Flusher::Sleep(milliseconds duration) {
  if (stopped_) co_return;
  timer_.expires_after(duration);
  boost::system::error_code ignored;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<absl::Status> Flusher::FlushNow(milliseconds timeout) {
  const Position target = parts_.ledger.totals().position;
  const uint64_t errors_before = errors_;
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  while (parts_.ledger.totals().flushed < target) {
    if (errors_ != errors_before) co_return last_error_;
    if (stopped_) co_return absl::CancelledError("the service is stopping");
    if (std::chrono::steady_clock::now() >= deadline) co_return absl::DeadlineExceededError("the flush goes on");
    kicked_ = true;
    timer_.cancel();
    co_await AwaitProgress(deadline);
  }
  co_return absl::OkStatus();
}

asio::awaitable<void> Flusher::AwaitProgress(SteadyTime deadline) {
  asio::steady_timer timer(executor_, deadline);
  waiting_.push_back(&timer);
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  std::erase(waiting_, &timer);
}

void Flusher::NoteProgress() {
  for (asio::steady_timer* timer : waiting_) timer->cancel();
}

asio::awaitable<absl::Status> Flusher::Verify(ChunkPlan* plan) {
  const uint64_t generation = parts_.store.generation();
  if (generation == generation_) co_return absl::OkStatus();
  claimed_.fill(false);
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    if (!known_[i]) continue;
    if (auto status = co_await Claim(Shard{static_cast<uint8_t>(i)}, plan); !status.ok()) co_return NoteError(status);
  }
  generation_ = generation;
  co_return absl::OkStatus();
}

asio::awaitable<void> Flusher::FlushChunk(std::shared_ptr<const Chunk> chunk) {
  ChunkPlan plan(chunk, parts_.sites);
  const SteadyTime began = parts_.clock.Now();
  back_off_ = milliseconds(0);
  while (true) {
    absl::Status status = co_await Verify(&plan);
    if (status.ok()) status = co_await FlushShards(plan);
    // What was flushed before a reconnect may be gone from the store, and only as long as the chunk is here can it be
    // flushed again.
    if (status.ok() && parts_.store.generation() == generation_) break;
    NoteProgress();
    if (!status.ok()) co_await BackOff();
    if (stopped_) co_return;
  }
  parts_.ledger.Release();
  if (last_logged_ != SteadyTime()) spdlog::info("lane {}: flushing again", ToHex(options_.lane.id));
  last_logged_ = {};
  parts_.metrics.flush_chunks.Increment();
  parts_.metrics.flush_duration_seconds.Observe(SecondsSince(began, parts_.clock.Now()));
}

asio::awaitable<void> Flusher::BackOff() {
  static thread_local std::minstd_rand generator{std::random_device{}()};
  back_off_ = std::clamp(back_off_ * 2, limits::kStoreReconnectDelayMin, limits::kStoreReconnectDelayMax);
  const auto half = back_off_.count() / 2;
  co_await Sleep(milliseconds(std::uniform_int_distribution<int64_t>(half, 2 * half)(generator)));
}

asio::awaitable<absl::Status> Flusher::FlushShards(ChunkPlan& plan) {
  const std::vector<Shard> shards = plan.Shards();
  size_t next = 0;
  absl::Status result;
  // A few shards side by side hide the network; more would only make reads wait behind them in Redis.
  const auto worker = [&]() -> asio::awaitable<void> {
    while (next < shards.size() && result.ok() && !stopped_) {
      const Shard shard = shards[next++];
      absl::Status status = co_await FlushShard(plan, shard);
      if (!status.ok()) result = NoteError(status);
    }
  };
  WaitGroup workers(executor_);
  for (size_t i = 0; i < std::min(limits::kFlushPartsInFlightMax, shards.size()); ++i) workers.Spawn(worker());
  co_await workers.Wait();
  if (result.ok() && stopped_) co_return absl::CancelledError("stopped");
  co_return result;
}

asio::awaitable<absl::Status> Flusher::FlushShard(ChunkPlan& plan, Shard shard) {
  int mismatches = 0;
  while (true) {
    if (!claimed_[shard.value]) {
      if (auto status = co_await Claim(shard, &plan); !status.ok()) co_return status;
    }
    const Cursor cursor = parts_.ledger.HoldStill().CursorOf(shard);
    if (plan.IsFinished(shard, cursor)) co_return absl::OkStatus();
    const PlannedPart planned = plan.NextPart(shard, cursor, options_.lane);
    const SteadyTime began = parts_.clock.Now();
    const auto result = co_await parts_.store.Apply(planned.part);
    if (!result.ok()) {
      // Whatever it was, the outcome is unknown until the cursor says.
      claimed_[shard.value] = false;
      co_return result.status();
    }
    if (result->applied) {
      NoteApplied(plan, planned, *result, began);
      continue;
    }
    parts_.metrics.FlushFailed(FlushError::kMismatch).Increment();
    claimed_[shard.value] = false;
    if (++mismatches == kMismatchesMax) {
      co_return absl::AbortedError(fmt::format("shard {:02} holds \"{}\" for the lane, not \"{}\"", shard.value,
                                               result->stored.value_or("nothing"), cursor.ToString()));
    }
  }
}

void Flusher::NoteApplied(ChunkPlan& plan, const PlannedPart& planned, const ApplyResult& result, SteadyTime began) {
  parts_.listener.Applied(parts_.ledger, planned.part.shard, planned.part.next, plan.chunk(), planned.articles);
  // It goes forward: should it break off again, there is no reason to wait long.
  back_off_ = milliseconds(0);
  Metrics& metrics = parts_.metrics;
  metrics.flush_part_duration_seconds.Observe(SecondsSince(began, parts_.clock.Now()));
  metrics.flush_parts.Increment();
  metrics.flush_articles.Increment(static_cast<double>(planned.articles.size()));
  metrics.flush_views.Increment(static_cast<double>(planned.views));
  for (const SetAside& aside : result.set_aside) {
    metrics.flush_set_aside_views.Increment(static_cast<double>(aside.views));
    spdlog::error("{} views of \"{}\" were set aside: {} in Redis holds no count for it, or would pass 2^53",
                  aside.views, aside.article_id, aside.key);
  }
}

asio::awaitable<absl::Status> Flusher::Claim(Shard shard, ChunkPlan* plan) {
  const auto stored = co_await parts_.store.Claim(shard, options_.lane);
  if (!stored.ok()) {
    if (ReasonOf(stored.status()) == "FENCED") {
      Stop();
      options_.fenced(stored.status());
    }
    co_return stored.status();
  }
  claimed_[shard.value] = true;
  Reconcile(shard, *stored, plan);
  known_[shard.value] = true;
  co_return absl::OkStatus();
}

void Flusher::Reconcile(Shard shard, const Cursor& stored, ChunkPlan* plan) {
  const Cursor known = parts_.ledger.HoldStill().CursorOf(shard);
  if (stored == known) return;
  // A part whose answer was lost had arrived: within this chunk, or at its end.
  const bool ours = plan != nullptr && stored.to() == plan->chunk().to() && stored > known &&
                    (!stored.in_middle() || stored.from() == known.applied_to());
  if (ours) {
    parts_.listener.Applied(parts_.ledger, shard, stored, plan->chunk(), plan->Between(shard, known, stored));
    return;
  }
  parts_.metrics.store_rollbacks.Increment();
  spdlog::error(
      "shard {:02} of lane {} is at \"{}\" in Redis, where it had been left at \"{}\": Redis went back in time. "
      "What memory still holds is flushed again, the rest of what lies between is lost",
      shard.value, ToHex(options_.lane.id), stored.ToString(), known.ToString());
  parts_.listener.Rewound(parts_.ledger, shard, stored);
}

absl::Status Flusher::NoteError(const absl::Status& status) {
  parts_.metrics.FlushFailed(FlushErrorOf(status)).Increment();
  ++errors_;
  last_error_ = status;
  const SteadyTime now = parts_.clock.Now();
  if (last_logged_ == SteadyTime() || now - last_logged_ >= kLogEvery) {
    last_logged_ = now;
    spdlog::warn("lane {}: cannot flush, trying again: {}", ToHex(options_.lane.id), ToStd(status.message()));
  }
  return status;
}

}  // namespace viewcount
