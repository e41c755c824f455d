#include "service/flush/flusher.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>
#include <random>
#include <utility>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/planted_bug.h"
#include "service/base/status.h"
#include "service/flush/flush_error.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

// The pause between two checks in FlushNow while the lane is syncing.
constexpr milliseconds kPause{5};
// After this many mismatches in a row a shard waits for the next try. Otherwise two lanes could go on for ever.
constexpr int kMismatchesMax = 3;

double SecondsSince(SteadyTime began, SteadyTime now) { return std::chrono::duration<double>(now - began).count(); }

}  // namespace

Flusher::Flusher(const asio::any_io_executor& executor, Dependencies parts, Options options)
    : executor_(executor), parts_(std::move(parts)), options_(std::move(options)), timer_(executor) {}

asio::awaitable<absl::Status> Flusher::Recover() {
  auto status = co_await Verify();
  if (status.ok() && !misplaced_.empty()) status = co_await RepairShards();
  recovered_ = status.ok();
  co_return status;
}

asio::awaitable<void> Flusher::Run() {
  while (!stopped_) {
    co_await WaitForWork();
    while (!stopped_) {
      const absl::Status status = co_await Step();
      NoteProgress();
      if (status.ok()) break;
      co_await BackOff();
    }
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
  // After a reconnect the store may be another one, which lacks what was flushed.
  const auto is_known = [this] {
    return misplaced_.empty() && (parts_.store.generation() == generation_ || Planted(PlantedBug::kSkipVerify));
  };
  while (!is_known() || parts_.ledger.totals().flushed < target) {
    if (errors_ != errors_before) co_return last_error_;
    if (stopped_) co_return absl::CancelledError("the service is stopping");
    if (std::chrono::steady_clock::now() >= deadline) co_return absl::DeadlineExceededError("the flush goes on");
    kicked_ = true;
    timer_.cancel();
    const Position before = parts_.ledger.totals().flushed;
    co_await AwaitProgress(deadline);
    // The views that were folded last may not be durable yet, so checking without a pause is useless.
    if (parts_.ledger.totals().flushed == before) co_await AwaitProgress(std::chrono::steady_clock::now() + kPause);
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

asio::awaitable<void> Flusher::BackOff() {
  static thread_local std::minstd_rand generator{std::random_device{}()};
  back_off_ = std::clamp(back_off_ * 2, limits::kStoreReconnectDelayMin, limits::kStoreReconnectDelayMax);
  const auto half = back_off_.count() / 2;
  co_await Sleep(milliseconds(std::uniform_int_distribution<int64_t>(half, 2 * half)(generator)));
}

asio::awaitable<absl::Status> Flusher::Step() {
  if (auto status = co_await Verify(); !status.ok()) co_return NoteError(status);
  while (!stopped_) {
    LogRollbacks();
    if (!misplaced_.empty()) {
      if (auto status = co_await RepairShards(); !status.ok()) co_return NoteError(status);
    }
    const SealedChunk sealed = parts_.ledger.Next();
    if (sealed.chunk == nullptr) break;
    auto status = co_await FlushChunk(sealed);
    // The store may have lost flushed views before a reconnect. While the chunk still exists here, it can be flushed
    // again without reading the journal.
    if (status.ok()) status = co_await Verify();
    if (!status.ok()) co_return NoteError(status);
    // The store may have gone back in time again while its cursors were read.
    const bool steady = misplaced_.empty() && parts_.store.generation() == generation_;
    if (steady && plan_->IsFinished(parts_.ledger.Lock())) NoteReleased();
  }
  if (stopped_) co_return absl::CancelledError("stopped");
  if (error_lines_.Reset()) spdlog::info("lane {}: flushing again", ToHex(options_.lane.id));
  back_off_ = milliseconds(0);
  co_return absl::OkStatus();
}

void Flusher::NoteReleased() {
  parts_.ledger.Release(plan_->chunk());
  plan_.reset();
  parts_.metrics.flush_chunks.Increment();
  parts_.metrics.flush_duration_seconds.Observe(SecondsSince(plan_began_, parts_.clock.Now()));
  if (options_.released) options_.released();
}

asio::awaitable<absl::Status> Flusher::Verify() {
  const uint64_t generation = parts_.store.generation();
  const SteadyTime now = parts_.clock.Now();
  if (recovered_ && (generation == generation_ || Planted(PlantedBug::kSkipVerify)) &&
      now - verified_at_ < limits::kStoreCheckInterval) {
    co_return absl::OkStatus();
  }
  claimed_ = {};
  const auto claim = [this](Shard shard) { return Claim(shard); };
  const auto status = co_await ForShards(ShardSet::All(), claim);
  if (!status.ok()) co_return status;
  generation_ = generation;
  verified_at_ = now;
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Flusher::FlushChunk(SealedChunk sealed) {
  if (!plan_ || &plan_->chunk() != sealed.chunk.get() || plan_->shards() != sealed.shards) {
    plan_.emplace(
        sealed, parts_.source.sites,
        ChunkPlan::Options{.articles_max = options_.part_articles_max, .now_unix_ms = parts_.clock.UnixMillis()});
    plan_began_ = parts_.clock.Now();
  }
  const auto flush = [this](Shard shard) { return FlushShard(shard); };
  co_return co_await ForShards(sealed.shards, flush);
}

asio::awaitable<absl::Status> Flusher::FlushShard(Shard shard) {
  int mismatches = 0;
  while (!misplaced_.Has(shard)) {
    if (!claimed_.Has(shard)) {
      if (auto status = co_await Claim(shard); !status.ok()) co_return status;
      continue;
    }
    const Cursor cursor = parts_.ledger.Lock().CursorOf(shard);
    if (plan_->IsFinished(shard, cursor)) co_return absl::OkStatus();
    const PlannedPart planned = plan_->NextPart(shard, cursor, options_.lane);
    CheckPart(planned.part, shard, cursor);
    const SteadyTime began = parts_.clock.Now();
    const auto result = co_await parts_.store.Apply(planned.part);
    if (Planted(PlantedBug::kTrustLostAnswer) && !result.ok()) {
      NoteApplied(planned, {.applied = true}, began);
      continue;
    }
    if (!result.ok()) {
      // After any error the outcome is unknown until the cursor has been read.
      claimed_.Remove(ShardSet::Of(shard));
      co_return result.status();
    }
    if (result->applied) {
      NoteApplied(planned, *result, began);
      continue;
    }
    parts_.metrics.FlushFailed(FlushError::kMismatch).Increment();
    claimed_.Remove(ShardSet::Of(shard));
    if (++mismatches == kMismatchesMax) {
      co_return absl::AbortedError(fmt::format("shard {:02} holds \"{}\" for the lane, not \"{}\"", shard.value,
                                               result->stored.value_or("nothing"), cursor.ToString()));
    }
  }
  co_return absl::OkStatus();
}

void Flusher::CheckPart(const Part& part, Shard shard, const Cursor& cursor) const {
  VIEWCOUNT_CHECK(part.shard == shard);
  VIEWCOUNT_CHECK(part.lane == options_.lane.id);
  VIEWCOUNT_CHECK(part.incarnation == options_.lane.incarnation);
  // The store compares with the cursor that the ledger has, and the part moves it forward, within this chunk.
  VIEWCOUNT_CHECK(part.expected == cursor);
  VIEWCOUNT_CHECK(cursor < part.next);
  VIEWCOUNT_CHECK(part.next.to() == plan_->chunk().to());
}

void Flusher::MoveForward(Shard shard, const Cursor& cursor, std::span<const uint32_t> articles) {
  const auto move = [&] { parts_.ledger.SetCursor(shard, cursor); };
  if (parts_.listener == nullptr) {
    move();
  } else {
    parts_.listener->Applied(shard, move, plan_->chunk(), articles);
  }
  // If the listener had not called `move`, the same part would be sent again.
  VIEWCOUNT_CHECK(parts_.ledger.Lock().CursorOf(shard) == cursor);
}

void Flusher::MoveTo(Shard shard, const Cursor& cursor) {
  const auto move = [&] { parts_.ledger.SetCursor(shard, cursor); };
  if (parts_.listener == nullptr) {
    move();
  } else {
    parts_.listener->Rewound(shard, move);
  }
  VIEWCOUNT_CHECK(parts_.ledger.Lock().CursorOf(shard) == cursor);
}

void Flusher::NoteApplied(const PlannedPart& planned, const ApplyResult& result, SteadyTime began) {
  MoveForward(planned.part.shard, planned.part.next, planned.articles);
  // There is progress, so the next retry need not wait long.
  back_off_ = milliseconds(0);
  Metrics& metrics = parts_.metrics;
  metrics.flush_part_duration_seconds.Observe(SecondsSince(began, parts_.clock.Now()));
  metrics.flush_parts.Increment();
  metrics.flush_articles.Increment(static_cast<double>(planned.articles.size()));
  metrics.flush_views.Increment(static_cast<double>(planned.views));
  for (const Quarantined& aside : result.set_aside) {
    metrics.flush_set_aside_views.Increment(static_cast<double>(std::abs(aside.views)));
    spdlog::error("{} views of \"{}\" were set aside: {} in Redis holds no count for it, or would pass 2^53",
                  aside.views, aside.article_id, aside.key);
  }
}

asio::awaitable<absl::Status> Flusher::Claim(Shard shard) {
  const auto stored = co_await parts_.store.Claim(shard, options_.lane);
  if (!stored.ok()) {
    if (ReasonOf(stored.status()) == "FENCED") {
      // A part whose answer was lost may have arrived before another process took the lane.
      const auto cursor = Cursor::Parse(MetadataOf(stored.status(), "cursor"));
      if (cursor && plan_ && plan_->Leads(shard, parts_.ledger.Lock().CursorOf(shard), *cursor)) {
        MoveTo(shard, *cursor);
      }
      Stop();
      options_.fenced(stored.status());
    }
    co_return stored.status();
  }
  claimed_.Add(shard);
  Reconcile(shard, *stored);
  co_return absl::OkStatus();
}

void Flusher::Reconcile(Shard shard, const Claimed& stored) {
  Ledger& ledger = parts_.ledger;
  stored_[shard.value] = stored;
  bool absent = false;
  Cursor known;
  {
    const Ledger::LockedView still = ledger.Lock();
    absent = still.IsAbsent(shard);
    known = still.CursorOf(shard);
  }
  if (absent) {
    misplaced_.Add(shard);
    return;
  }
  if (stored.cursor == known) {
    Audit(shard, stored.totals);
    return;
  }
  const bool fits = ledger.Fits(shard, stored.cursor);
  if (fits && known < stored.cursor && plan_ && plan_->Leads(shard, known, stored.cursor)) {
    // A part whose answer was lost had arrived.
    MoveForward(shard, stored.cursor, plan_->Between(shard, known, stored.cursor));
    return;
  }
  if (stored.cursor < known || !fits) {
    parts_.metrics.store_rollbacks.Increment();
    rolled_back_.Add(shard);
    rollback_ = fmt::format("shard {:02} is at \"{}\" in Redis, where it had been left at \"{}\"", shard.value,
                            stored.cursor.ToString(), known.ToString());
  }
  if (fits) {
    MoveTo(shard, stored.cursor);
  } else {
    misplaced_.Add(shard);
  }
}

void Flusher::LogRollbacks() {
  if (rolled_back_.empty()) return;
  spdlog::error("lane {}: Redis went back in time in {} of {} shards ({}); what it lost is flushed again",
                ToHex(options_.lane.id), std::popcount(rolled_back_.bits), limits::kShards, rollback_);
  rolled_back_ = {};
  parts_.store.NoteRollback();
}

void Flusher::Audit(Shard shard, const LaneTotals& totals) {
  uint64_t expected = 0;
  {
    const Ledger::LockedView still = parts_.ledger.Lock();
    expected = still.Journaled(shard) - still.Pending(shard);
  }
  const bool differs = totals.views + totals.lost != expected;
  if (differs && !differing_.Has(shard)) {
    spdlog::error("shard {:02} of lane {}: the journal has {} views up to its cursor, the store {} and {} lost",
                  shard.value, ToHex(options_.lane.id), expected, totals.views, totals.lost);
  }
  if (differs == differing_.Has(shard)) return;
  differing_.bits ^= ShardSet::Of(shard).bits;
  parts_.metrics.audit_differences.Increment(differs ? 1 : -1);
}

absl::Status Flusher::NoteError(const absl::Status& status) {
  parts_.metrics.FlushFailed(FlushErrorOf(status)).Increment();
  ++errors_;
  last_error_ = status;
  if (error_lines_.Take(parts_.clock.Now())) {
    spdlog::warn("lane {}: cannot flush, trying again: {}", ToHex(options_.lane.id), ToStd(status.message()));
  }
  return status;
}

}  // namespace viewcount
