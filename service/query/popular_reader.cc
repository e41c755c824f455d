#include "service/query/popular_reader.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <string_view>
#include <vector>

#include "service/base/async_event.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/wait_group.h"
#include "service/query/list_limits.h"
#include "service/query/ranking_sums.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Rankings are used until they are this old, or this many times as old as they took to be read.
constexpr std::chrono::nanoseconds kUsualAge = limits::kCountCacheAge;
constexpr int kReadingTimes = 20;
// Not older, because they keep the chunks alive that were flushed since.
constexpr std::chrono::nanoseconds kLongestAge = 4 * limits::kCountCacheAge;
// Rankings that are being replaced are used for this time more. Reading from a busy Redis takes longer than usual.
constexpr std::chrono::nanoseconds kReplacing = 2 * limits::kCountCacheAge;
// The first attempt to read a list reads this many places of each ranking. To add up windows, every further attempt
// reads kMorePlaces times as many.
constexpr size_t kFirstPlaces = 32;
constexpr size_t kMorePlaces = 4;
constexpr int kReadsAheadMax = 3;
// Each entry takes some megabytes, and keeps alive the chunks flushed since it was read. Rankings beyond this number
// are read again for each request.
constexpr size_t kEntriesMax = 32;
// Each list takes some 20 KiB. Those made longest ago are dropped first.
constexpr size_t kLastListsMax = 256;

// A few places of a ranking are enough if all other articles have at most this part of the views that the list
// requires. So pending views seldom make another article a candidate.
constexpr uint64_t kFarBelow = 4;

const char kStoreIsOld[] = "the store is older than what was written to it";

// Converts a time-out or a broken connection to the error that the caller receives.
absl::Status AskAgain(const absl::Status& error) {
  return RetryLater(absl::StatusCode::kUnavailable, ToStd(error.message()), limits::kRetryDelay);
}

// Returns whether the rankings of one window list all that a list of `places` needs.
bool AreEnough(const std::array<Ranking, limits::kShards>& shards, size_t places) {
  uint64_t unlisted_max = 0;
  std::vector<int64_t> views;
  for (const Ranking& shard : shards) {
    unlisted_max = std::max(unlisted_max, shard.unlisted_views_max);
    for (const RankedCount& article : shard.articles) views.push_back(article.views);
  }
  if (unlisted_max == 0) return true;
  if (views.size() < places) return false;
  const auto last = views.begin() + static_cast<ptrdiff_t>(places - 1);
  std::nth_element(views.begin(), last, views.end(), std::greater<>());
  return *last > 0 && static_cast<uint64_t>(*last) / kFarBelow >= unlisted_max;
}

Ranking NamedRanking(const NumberedRanking& numbered, const ArticleNumbers& numbers) {
  Ranking ranking{.articles = {}, .unlisted_views_max = numbered.unlisted_views_max};
  ranking.articles.reserve(numbered.places.size());
  for (const RankedNumber& place : numbered.places) {
    ranking.articles.push_back({std::string(numbers.IdOf(place.article)), place.views});
  }
  return ranking;
}

}  // namespace

struct PopularReader::Reading {
  SteadyTime read_at;
  uint64_t generation = 0;
  // The cursors that this process knew when the read began.
  std::vector<ShardCursors> known;
  RankedWindow::Rankings rankings;
  // Used if there are several windows.
  RankingSums sums;
  // Articles whose counts in all windows together must be read in addition to the rankings.
  std::vector<RankedWindow::Candidate> summed;
};

struct PopularReader::Entry {
  Entry(const asio::any_io_executor& executor, std::shared_ptr<const Site> of, Question its_question, Reading reading,
        std::span<Ledger* const> ledgers)
      : site(std::move(of)),
        question(std::move(its_question)),
        read_at(reading.read_at),
        generation(reading.generation),
        known(std::move(reading.known)),
        ranked(site, question.windows, question.places, ledgers, std::move(reading.rankings)),
        candidates_read(executor) {}

  Key key() const { return {site->index, question}; }
  std::optional<RankedWindow::Answer> Complete(RankedWindow::Candidates which) {
    const MutexLock lock(mutex);
    auto answer = ranked.Complete(which);
    if (answer) GiveUp(*answer);
    return answer;
  }
  void Settle(RankedWindow::Answer& answer) {
    const MutexLock lock(mutex);
    ranked.Settle(answer);
    GiveUp(answer);
  }
  // Limits the number of candidates that are read. Beyond the limit the list is marked as not exact.
  void GiveUp(RankedWindow::Answer& answer) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (answer.candidates.empty() || ranked.added() < limits::kPopularCandidatesMax) return;
    answer.list.exact = false;
    answer.list.error_bound =
        std::max(answer.list.error_bound, static_cast<uint64_t>(answer.candidates.front().views_max));
    answer.candidates.clear();
  }

  const std::shared_ptr<const Site> site;
  const Question question;
  const SteadyTime read_at;
  // The rankings are used until they are this old.
  std::chrono::nanoseconds age_max = kUsualAge;
  const uint64_t generation;
  const std::vector<ShardCursors> known;
  std::atomic<bool> asked = false;
  std::atomic<bool> being_replaced = false;

  Mutex mutex;
  RankedWindow ranked ABSL_GUARDED_BY(mutex);

  // Used on the store's executor. `candidates_read` is notified when candidates have been read.
  bool reading_candidates = false;
  AsyncEvent candidates_read;
};

struct PopularReader::Flight {
  explicit Flight(const asio::any_io_executor& executor) : landed(executor) {}

  AsyncEvent landed;
  std::optional<absl::StatusOr<std::shared_ptr<Entry>>> entry;
};

std::shared_ptr<PopularReader::Entry> PopularReader::Find(const Key& key) {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : found->second;
}

std::optional<PopularList> PopularReader::ReadCached(const Site& site, const Question& question) {
  const auto entry = Find({site.index, question});
  if (entry == nullptr) return std::nullopt;
  entry->asked = true;
  const auto age_max = entry->age_max + (entry->being_replaced ? kReplacing : std::chrono::nanoseconds());
  if (entry->read_at < clock_.Now() - age_max) return std::nullopt;
  if (entry->generation != store_.generation()) return std::nullopt;
  auto answer = entry->Complete(RankedWindow::Candidates::kOne);
  if (!answer || !answer->candidates.empty()) return std::nullopt;
  return std::move(answer->list);
}

asio::awaitable<absl::StatusOr<PopularList>> PopularReader::Read(std::shared_ptr<const Site> site, Question question,
                                                                 Afterwards afterwards) {
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    const auto entry = co_await Join(site, question, afterwards);
    if (absl::IsAborted(entry.status())) continue;
    absl::Status error = entry.status();
    if (entry.ok()) {
      auto list = co_await AnswerFrom(*entry);
      if (list.ok() && *list) co_return **std::move(list);
      error = list.status();
    }
    if (error.ok()) continue;
    if (auto known = Recall(*site, question)) co_return *std::move(known);
    co_return AskAgain(error);
  }
  co_return RetryLater(absl::StatusCode::kUnavailable, kStoreIsOld, limits::kRetryDelay);
}

asio::awaitable<absl::StatusOr<std::shared_ptr<PopularReader::Entry>>> PopularReader::Join(
    std::shared_ptr<const Site> site, Question question, Afterwards afterwards) {
  const Key key{site->index, question};
  if (const auto found = flights_.find(key); found != flights_.end()) {
    const std::shared_ptr<Flight> flight = found->second;
    while (!flight->entry) co_await flight->landed.Wait();
    co_return *flight->entry;
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto flight = std::make_shared<Flight>(executor);
  flights_.emplace(key, flight);
  const auto reading = std::make_shared<Reading>();
  const bool summed_up = question.is_sum();
  absl::Status turn;
  if (summed_up) turn = co_await AwaitTurn();
  absl::Status read = turn;
  if (turn.ok()) read = co_await ReadRankings(*site, question, *reading);
  std::shared_ptr<Entry> entry;
  if (read.ok()) {
    auto summed = std::move(reading->summed);
    entry = std::make_shared<Entry>(executor, site, question, std::move(*reading), ledgers_);
    read = co_await ReadCandidates(*entry, summed);
  }
  if (summed_up && turn.ok()) {
    --summing_;
    summed_->NotifyOne();
  }
  if (read.ok() && afterwards == Afterwards::kKeep) {
    auto followed = TrackedCandidates(key);
    co_await ReadAhead(*entry, std::move(followed));
    if (summed_up) {
      const std::chrono::nanoseconds took = clock_.Now() - entry->read_at;
      entry->age_max = std::clamp(kReadingTimes * took, kUsualAge, kLongestAge);
    }
    Keep(entry);
    Remember(*entry);
  }
  {
    const MutexLock lock(mutex_);
    if (turn.ok()) away_ = IsTransient(read);
  }
  flights_.erase(key);
  if (read.ok()) {
    flight->entry = std::move(entry);
  } else {
    flight->entry = read;
  }
  flight->landed.NotifyAll();
  co_return *flight->entry;
}

asio::awaitable<absl::Status> PopularReader::AwaitTurn() {
  if (summed_ == nullptr) summed_ = std::make_unique<AsyncEvent>(co_await asio::this_coro::executor);
  if (waiting_ >= limits::kSummedListsWaiting) {
    co_return RetryLater(absl::StatusCode::kResourceExhausted,
                         "too many lists of several hours and days are being read", limits::kRetryDelay);
  }
  ++waiting_;
  while (summing_ >= limits::kSummedListsMax) co_await summed_->Wait();
  --waiting_;
  ++summing_;
  co_return absl::OkStatus();
}

bool PopularReader::KeepUp(const Site& site, RankedWindow::Rankings& rankings) const {
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    const auto held = ledgers_[lane]->HoldPending(rankings.marks[lane], rankings.cursors[lane], site, kNoWindows);
    if (!held) return false;
  }
  return true;
}

void PopularReader::Begin(Reading& reading) const {
  reading.read_at = clock_.Now();
  reading.generation = store_.generation();
  reading.rankings.as_of_unix_ms = clock_.UnixMillis();
  // The cursors come first, so that the marks hold every chunk after them.
  reading.known = cache_.KnownCursors();
  reading.rankings.marks.clear();
  for (const Ledger* ledger : ledgers_) reading.rankings.marks.push_back(ledger->TakeSnapshot());
  reading.rankings.cursors.assign(ledgers_.size(), ShardCursors());
}

asio::awaitable<absl::Status> PopularReader::ReadRankings(const Site& site, const Question& question,
                                                          Reading& reading) {
  const WeightedWindows& windows = question.windows;
  if (!question.is_sum()) {
    constexpr size_t kAll = limits::kRankedAllTimeAndDay;
    // The rankings of hours are short.
    const bool read_all = question.places > kAll || windows.windows.front().kind == Window::Kind::kHour;
    for (size_t places = read_all ? kAll : kFirstPlaces;; places = kAll) {
      Begin(reading);
      const absl::Status read = co_await ReadShards(site, windows, places, reading);
      if (!read.ok()) co_return read;
      if (places == kAll || AreEnough(reading.rankings.shards, question.places)) break;
    }
    reading.rankings.incomplete = std::ranges::any_of(reading.rankings.shards, [&](const Ranking& shard) {
      return shard.unlisted_views_max > 0 && shard.articles.size() < question.places;
    });
    co_return absl::OkStatus();
  }
  const size_t rows_max = limits::kRankedRowsMax / windows.windows.size();
  const size_t places_max = std::clamp<size_t>(rows_max, 1, limits::kRankedAllTimeAndDay);
  RankingSums::Choice choice;
  for (size_t places = std::min(kFirstPlaces, places_max);; places = std::min(places * kMorePlaces, places_max)) {
    reading.sums = {};
    Begin(reading);
    const absl::Status read = co_await ReadShards(site, windows, places, reading);
    if (!read.ok()) co_return read;
    choice = reading.sums.Choose(question.places);
    // Rankings that end are not read again.
    if (choice.proven || places == places_max || reading.sums.longest() < places) break;
  }
  reading.rankings.incomplete = true;
  for (size_t shard = 0; shard < limits::kShards; ++shard) {
    reading.rankings.shards[shard].unlisted_views_max = choice.others_max[shard];
    for (std::string& id : choice.articles[shard]) {
      const uint64_t hash = ArticleHash(site.seed, id);
      reading.summed.push_back({.id = std::move(id), .hash = hash});
    }
  }
  reading.sums = {};
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> PopularReader::ReadShards(const Site& site, const WeightedWindows& windows,
                                                        size_t articles_max, Reading& reading) {
  absl::Status error;
  const auto executor = co_await asio::this_coro::executor;
  WaitGroup reads(executor);
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    reads.Spawn(ReadShard(site, windows, articles_max, Shard{static_cast<uint8_t>(i)}, reading, error));
  }
  co_await reads.Wait();
  co_return error;
}

asio::awaitable<void> PopularReader::ReadShard(const Site& site, const WeightedWindows& windows, size_t articles_max,
                                               Shard shard, Reading& reading, absl::Status& error) {
  std::vector<Cursor> cursors;
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    const uint64_t generation = store_.generation();
    const auto reads = memory_.Of(site.index, shard, generation).PlanRankings(windows.windows, articles_max);
    const auto read = co_await store_.ReadWindows(shard, cache_.lane_ids(), site.name, reads);
    if (!read.ok()) {
      error = read.status();
      co_return;
    }
    if (store_.generation() != generation) continue;
    if (!cache_.CheckCursors(reading.known, shard, read->lanes, cursors)) {
      memory_.Forget(site.index, shard);
      continue;
    }
    ShardMemory& memory = memory_.Of(site.index, shard, generation);
    memory.Learn(reads, read->windows);
    const auto rankings = memory.FindRankings(windows.windows, articles_max);
    if (!rankings) continue;
    for (size_t lane = 0; lane < cursors.size(); ++lane) reading.rankings.cursors[lane][shard.value] = cursors[lane];
    if (windows.windows.size() == 1 && !windows.has_weights()) {
      reading.rankings.shards[shard.value] = NamedRanking(rankings->front(), *memory.numbers());
    } else {
      reading.sums.Add(shard, memory.numbers(), *rankings, windows);
      if (!KeepUp(site, reading.rankings) && error.ok()) error = absl::AbortedError(kStoreIsOld);
    }
    co_return;
  }
  // An error that says that the store is unreachable is more informative, so it is kept.
  if (error.ok()) error = absl::AbortedError(kStoreIsOld);
}

std::vector<RankedWindow::Candidate> PopularReader::TrackedCandidates(const Key& key) {
  const auto entry = Find(key);
  // The sums of several windows are chosen again each time.
  if (entry == nullptr || key.second.is_sum()) return {};
  const MutexLock lock(entry->mutex);
  return entry->ranked.TrackedCandidates();
}

asio::awaitable<void> PopularReader::ReadAhead(Entry& entry, std::vector<RankedWindow::Candidate> candidates) {
  // The candidates of the earlier rankings show how many views the list requires. So few other articles must be
  // examined.
  bool more = true;
  for (int i = 0; more && i < kReadsAheadMax; ++i) {
    if (!candidates.empty()) {
      const absl::Status read = co_await ReadCandidates(entry, candidates);
      // The next request that needs them reports the error, if it persists.
      if (!read.ok()) co_return;
    }
    auto answer = entry.Complete(RankedWindow::Candidates::kNear);
    if (!answer) co_return;
    candidates = std::move(answer->candidates);
    more = !candidates.empty();
  }
}

void PopularReader::Keep(const std::shared_ptr<Entry>& entry) {
  const MutexLock lock(mutex_);
  if (entries_.size() >= kEntriesMax && !entries_.contains(entry->key())) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second->read_at < b.second->read_at;
    }));
  }
  entries_[entry->key()] = entry;
}

void PopularReader::Remember(Entry& entry) {
  LedgerMoment moment{.since = {}, .folded = FoldedNow(ledgers_, entry.site->index)};
  auto answer = entry.Complete(RankedWindow::Candidates::kOne);
  moment.since = SinceNow(ledgers_, *entry.site);
  if (!answer) return;
  const MutexLock lock(mutex_);
  if (last_.size() >= kLastListsMax && !last_.contains(entry.key())) {
    last_.erase(std::min_element(last_.begin(), last_.end(),
                                 [](const auto& a, const auto& b) { return a.second.made_at < b.second.made_at; }));
  }
  last_[entry.key()] = {std::move(answer->list), std::move(moment), clock_.Now()};
}

std::optional<PopularList> PopularReader::Recall(const Site& site, const Question& question) {
  const auto entry = Find({site.index, question});
  auto answer = entry == nullptr ? std::nullopt : entry->Complete(RankedWindow::Candidates::kOne);
  if (!answer) return RecallLast(site, question);
  PopularList& list = answer->list;
  list.exact = list.current = false;
  if (!answer->candidates.empty()) {
    list.error_bound = std::max(list.error_bound, static_cast<uint64_t>(answer->candidates.front().views_max));
  }
  return std::move(list);
}

std::optional<PopularList> PopularReader::RecallLast(const Site& site, const Question& question) {
  Last last;
  {
    const MutexLock lock(mutex_);
    const auto found = last_.find({site.index, question});
    if (found == last_.end()) return std::nullopt;
    last = found->second;
  }
  PopularList& list = last.list;
  // An article that is missing from a full list had at most as many views as its last one. From any other list, only
  // articles without views are missing. Since then, no article can have gained more views than the whole site.
  const bool full = list.articles.size() >= question.places;
  const int64_t folded = question.windows.weight_max() * last.moment.FoldedSince(ledgers_, site.index);
  list.error_bound = std::max(list.error_bound, full ? list.articles.back().views : 0) + ShownCount(folded);
  list.exact = list.current = false;
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    ChunksSince chunks;
    if (!FindSince(*ledgers_[lane], last.moment.since[lane], chunks)) continue;
    const auto pending = ledgers_[lane]->HoldPending(chunks.mark, chunks.cursors, site, question.windows);
    if (!pending) continue;
    for (PopularArticle& article : list.articles) {
      const int64_t more = pending->Of(ArticleHash(site.seed, article.article_id), article.article_id);
      article.views = ShownCount(static_cast<int64_t>(article.views) + more);
    }
  }
  std::sort(list.articles.begin(), list.articles.end(), ComesBefore);
  std::erase_if(list.articles, [](const auto& article) { return article.views == 0; });
  return std::move(list);
}

asio::awaitable<absl::StatusOr<std::optional<PopularList>>> PopularReader::AnswerFrom(std::shared_ptr<Entry> entry) {
  auto answer = entry->Complete(RankedWindow::Candidates::kNear);
  if (!answer) co_return std::optional<PopularList>();
  while (!answer->candidates.empty()) {
    if (entry->reading_candidates) {
      co_await entry->candidates_read.Wait();
    } else {
      entry->reading_candidates = true;
      const absl::Status read = co_await ReadCandidates(*entry, answer->candidates);
      entry->reading_candidates = false;
      entry->candidates_read.NotifyAll();
      if (absl::IsAborted(read)) co_return std::optional<PopularList>();
      if (!read.ok()) co_return read;
    }
    if (answer->more_candidates) {
      answer = entry->Complete(RankedWindow::Candidates::kNear);
      if (!answer) co_return std::optional<PopularList>();
    } else {
      entry->Settle(*answer);
    }
  }
  co_return std::optional<PopularList>(std::move(answer->list));
}

asio::awaitable<absl::Status> PopularReader::ReadCandidates(Entry& entry,
                                                            const std::vector<RankedWindow::Candidate>& asked) {
  std::map<Shard, std::vector<RankedWindow::Candidate>> by_shard;
  for (const RankedWindow::Candidate& candidate : asked) by_shard[ShardOf(candidate.hash)].push_back(candidate);
  absl::Status error;
  const auto executor = co_await asio::this_coro::executor;
  WaitGroup reads(executor);
  for (auto& [shard, candidates] : by_shard) {
    reads.Spawn(ReadCandidatesOf(entry, shard, std::move(candidates), error));
  }
  co_await reads.Wait();
  co_return error;
}

asio::awaitable<void> PopularReader::ReadCandidatesOf(Entry& entry, Shard shard,
                                                      std::vector<RankedWindow::Candidate> asked, absl::Status& error) {
  const std::vector<Window>& windows = entry.question.windows.windows;
  std::vector<std::string_view> ids;
  for (const RankedWindow::Candidate& candidate : asked) ids.push_back(candidate.id);
  const auto unknown = memory_.Of(entry.site->index, shard, store_.generation()).CountUnknown(windows, ids);
  for (size_t begin = 0, end = 0; begin < asked.size() && error.ok(); begin = end) {
    // One command reads a limited number of counts.
    size_t counts = 0;
    do {
      counts += unknown[end++];
    } while (end < asked.size() && counts + unknown[end] <= limits::kSurveyFieldsMax);
    const std::span some(asked.data() + begin, end - begin);
    const absl::Status read = co_await ReadSums(entry, shard, some);
    if (!read.ok() && error.ok()) error = read;
  }
}

asio::awaitable<absl::Status> PopularReader::ReadSums(Entry& entry, Shard shard,
                                                      std::span<const RankedWindow::Candidate> asked) {
  const Site& site = *entry.site;
  const WeightedWindows& windows = entry.question.windows;
  std::vector<std::string_view> ids;
  for (const RankedWindow::Candidate& candidate : asked) ids.push_back(candidate.id);
  std::vector<Cursor> cursors;
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    const uint64_t generation = store_.generation();
    const auto reads = memory_.Of(site.index, shard, generation).PlanCounts(windows.windows, ids);
    const auto read = co_await store_.ReadWindows(shard, cache_.lane_ids(), site.name, reads);
    if (!read.ok()) co_return read.status();
    if (store_.generation() != generation) continue;
    if (!cache_.CheckCursors(entry.known, shard, read->lanes, cursors)) {
      memory_.Forget(site.index, shard);
      continue;
    }
    ShardMemory& memory = memory_.Of(site.index, shard, generation);
    memory.Learn(reads, read->windows);
    const auto sums = memory.FindSums(windows, ids);
    if (!sums) continue;
    std::vector<RankedWindow::Stored> stored;
    for (size_t i = 0; i < asked.size(); ++i) stored.push_back({asked[i].id, asked[i].hash, (*sums)[i]});
    const MutexLock lock(entry.mutex);
    if (!entry.ranked.AddStored(stored, cursors)) co_return absl::AbortedError(kStoreIsOld);
    co_return absl::OkStatus();
  }
  co_return absl::AbortedError(kStoreIsOld);
}

asio::awaitable<void> PopularReader::Refresh() {
  const SteadyTime now = clock_.Now();
  std::vector<std::shared_ptr<Entry>> due;
  {
    const MutexLock lock(mutex_);
    // While the store is unreachable nothing is flushed. So the entries keep no chunks alive that are not pending
    // anyway.
    if (!away_) {
      std::erase_if(entries_, [&](const auto& entry) {
        return entry.second->read_at < now - entry.second->age_max - kReplacing;
      });
    }
    for (const auto& [key, entry] : entries_) {
      // Reading the rankings of many windows takes too long for those of one to wait for it.
      if (key.second.is_sum()) continue;
      // 7/10 is early enough for the new rankings to arrive in time, even if Redis is busy.
      if (!entry->asked || entry->read_at > now - entry->age_max * 7 / 10 || flights_.contains(key)) continue;
      entry->being_replaced = true;
      due.push_back(entry);
    }
  }
  const auto executor = co_await asio::this_coro::executor;
  WaitGroup reads(executor);
  for (const auto& entry : due) {
    reads.Spawn([](PopularReader& self, std::shared_ptr<Entry> old) -> asio::awaitable<void> {
      // The next request reports the error, if it persists.
      const auto read = co_await self.Join(old->site, old->question, Afterwards::kKeep);
      if (!read.ok()) old->being_replaced = false;
    }(*this, entry));
  }
  co_await reads.Wait();
}

}  // namespace viewcount
