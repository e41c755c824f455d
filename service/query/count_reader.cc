#include "service/query/count_reader.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "service/base/async_event.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/wait_group.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Returns the article that `id` is counted for.
ArticleRef RefOf(const Site& site, std::string_view id) {
  id = site.Resolve(id);
  return {id, ArticleHash(site.seed, id)};
}

// Counts of this age are read again. That is early enough for the new counts to arrive in time, even if Redis is busy.
constexpr auto kCountRefreshAge = limits::kCountCacheAge * 2 / 5;
// This many articles keep Redis busy for half a millisecond.
constexpr size_t kRoundArticlesMax = limits::kGetCountsArticlesMax;

}  // namespace

struct CountReader::Round {
  Round(const asio::any_io_executor& executor, std::shared_ptr<const Site> of)
      : site(std::move(of)), turn(executor), over(executor) {}

  // Returns whether that many more articles of the site may join.
  bool Takes(const std::shared_ptr<const Site>& its_site, size_t count) const {
    return !begun && site == its_site && articles.size() + count <= kRoundArticlesMax;
  }
  // Adds an article and returns its index in the round.
  size_t Add(const ArticleRef& article) {
    const auto [found, added] = index_of.emplace(article.id, articles.size());
    if (added) articles.push_back(article);
    return found->second;
  }

  const std::shared_ptr<const Site> site;
  std::vector<ArticleRef> articles;
  boost::unordered_flat_map<std::string_view, size_t> index_of;
  bool begun = false;
  int64_t as_of_unix_ms = 0;
  // `turn` is notified when the previous round is over, `over` when this round is over.
  AsyncEvent turn;
  AsyncEvent over;
  std::optional<absl::StatusOr<ShardCounts>> counts;
};

int64_t CountReader::UnixMillisOf(SteadyTime time) const {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  return clock_.UnixMillis() - duration_cast<milliseconds>(clock_.Now() - time).count();
}

std::optional<Counts> CountReader::ReadCached(const std::shared_ptr<const Site>& site,
                                              std::span<const std::string_view> ids) {
  const SteadyTime now = clock_.Now();
  std::vector<ArticleRef> articles;
  articles.reserve(ids.size());
  for (const std::string_view id : ids) articles.push_back(RefOf(*site, id));
  Counts counts;
  counts.totals.resize(ids.size());
  const auto oldest =
      cache_.FindAll(site, articles, now - limits::kCountCacheAge, now - kCountRefreshAge, std::span(counts.totals));
  if (!oldest) return std::nullopt;
  counts.as_of_unix_ms = UnixMillisOf(std::min(*oldest, now));
  return counts;
}

asio::awaitable<absl::StatusOr<Counts>> CountReader::Read(std::shared_ptr<const Site> site,
                                                          const std::vector<std::string>& ids) {
  Counts counts;
  auto questions = Ask(*site, ids, SteadyTime::max(), counts);
  co_return co_await Answer(std::move(site), std::move(questions), std::move(counts));
}

asio::awaitable<absl::StatusOr<Counts>> CountReader::ReadMissing(std::shared_ptr<const Site> site,
                                                                 const std::vector<std::string>& ids) {
  Counts counts;
  auto questions = Ask(*site, ids, clock_.Now() - limits::kCountCacheAge, counts);
  co_return co_await Answer(std::move(site), std::move(questions), std::move(counts));
}

CountReader::Questions CountReader::Ask(const Site& site, const std::vector<std::string>& ids, SteadyTime not_before,
                                        Counts& counts) {
  counts.totals.resize(ids.size());
  counts.as_of_unix_ms = clock_.UnixMillis();
  Questions questions;
  for (size_t i = 0; i < ids.size(); ++i) {
    const ArticleRef article = RefOf(site, ids[i]);
    const Shard shard = ShardOf(article.hash);
    if (const auto known = cache_.Find(site, shard, article, not_before)) {
      counts.totals[i] = known->totals;
      counts.as_of_unix_ms = std::min(counts.as_of_unix_ms, UnixMillisOf(known->read_at));
      continue;
    }
    ShardQuestion& question = questions[shard];
    question.articles.push_back(article);
    question.places.push_back(i);
  }
  return questions;
}

asio::awaitable<absl::StatusOr<Counts>> CountReader::Answer(std::shared_ptr<const Site> site, Questions questions,
                                                            Counts counts) {
  absl::Status failed;
  const auto executor = co_await asio::this_coro::executor;
  WaitGroup reads(executor);
  for (const auto& [shard, question] : questions) {
    reads.Spawn([](CountReader& self, std::shared_ptr<const Site> of, Shard its_shard, const ShardQuestion& asked,
                   Counts& into, absl::Status& error) -> asio::awaitable<void> {
      if (auto status = co_await self.ReadShard(of, its_shard, asked, into); !status.ok()) error = status;
    }(*this, site, shard, question, counts, failed));
  }
  co_await reads.Wait();
  if (!failed.ok()) co_return failed;
  co_return counts;
}

asio::awaitable<absl::Status> CountReader::ReadShard(std::shared_ptr<const Site> site, Shard shard,
                                                     const ShardQuestion& question, Counts& counts) {
  std::vector<size_t> indexes;
  const auto round = co_await Join(site, shard, question.articles, indexes);
  const absl::StatusOr<ShardCounts>& read = *round->counts;
  if (!read.ok()) co_return AnswerFromCache(*site, shard, question, read.status(), counts);
  counts.as_of_unix_ms = std::min(counts.as_of_unix_ms, round->as_of_unix_ms);
  for (size_t i = 0; i < question.places.size(); ++i) {
    counts.totals[question.places[i]] = {.views = ShownCount(read->counts[0][indexes[i]]),
                                         .bot_views = ShownCount(read->counts[1][indexes[i]]),
                                         .viewers = ShownCount(read->counts[2][indexes[i]])};
  }
  co_return absl::OkStatus();
}

asio::awaitable<std::shared_ptr<const CountReader::Round>> CountReader::Join(std::shared_ptr<const Site> site,
                                                                             Shard shard,
                                                                             const std::vector<ArticleRef>& articles,
                                                                             std::vector<size_t>& indexes) {
  auto& rounds = rounds_[shard.value];
  const bool joins = !rounds.empty() && rounds.back()->Takes(site, articles.size());
  const auto executor = co_await asio::this_coro::executor;
  if (!joins) rounds.push_back(std::make_shared<Round>(executor, site));
  const std::shared_ptr<Round> round = rounds.back();
  for (const ArticleRef& article : articles) indexes.push_back(round->Add(article));
  if (joins) {
    while (!round->counts) co_await round->over.Wait();
    co_return round;
  }
  while (rounds.front() != round) co_await round->turn.Wait();
  round->begun = true;
  round->as_of_unix_ms = clock_.UnixMillis();
  const std::vector<Window> windows(CountCache::kRemembered.begin(), CountCache::kRemembered.end());
  auto read = co_await ReadCompleted(*site, shard, round->articles, windows, true);
  round->counts = std::move(read);
  rounds.pop_front();
  if (!rounds.empty()) rounds.front()->turn.NotifyAll();
  round->over.NotifyAll();
  co_return round;
}

asio::awaitable<void> CountReader::Refresh() {
  const auto executor = co_await asio::this_coro::executor;
  WaitGroup reads(executor);
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const Shard shard{static_cast<uint8_t>(i)};
    auto wanted = cache_.TakeWanted(shard);
    if (!wanted.empty()) reads.Spawn(RefreshShard(shard, std::move(wanted)));
  }
  co_await reads.Wait();
}

asio::awaitable<void> CountReader::RefreshShard(Shard shard, std::vector<CountCache::Wanted> wanted) {
  for (size_t begin = 0; begin < wanted.size();) {
    const std::shared_ptr<const Site> site = wanted[begin].site;
    std::vector<ArticleRef> articles;
    size_t end = begin;
    for (; end < wanted.size() && wanted[end].site == site && articles.size() < kRoundArticlesMax; ++end) {
      articles.push_back({wanted[end].id, wanted[end].hash});
    }
    std::vector<size_t> indexes;
    // If the articles cannot be read now, the next request reads them.
    const auto round = co_await Join(site, shard, articles, indexes);
    begin = end;
  }
}

absl::Status CountReader::AnswerFromCache(const Site& site, Shard shard, const ShardQuestion& question,
                                          const absl::Status& error, Counts& counts) {
  counts.exact = false;
  for (size_t i = 0; i < question.places.size(); ++i) {
    const auto known = cache_.Find(site, shard, question.articles[i], SteadyTime::min());
    if (!known) return RetryLater(absl::StatusCode::kUnavailable, ToStd(error.message()), limits::kRetryDelay);
    counts.totals[question.places[i]] = known->totals;
    counts.as_of_unix_ms = std::min(counts.as_of_unix_ms, UnixMillisOf(known->read_at));
  }
  return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<ShardCounts>> CountReader::ReadCompleted(const Site& site, Shard shard,
                                                                        const std::vector<ArticleRef>& articles,
                                                                        const std::vector<Window>& windows,
                                                                        bool remember) {
  std::vector<std::string_view> ids;
  for (const ArticleRef& article : articles) ids.push_back(article.id);
  const std::vector<LaneId>& lanes = cache_.lane_ids();
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    const SteadyTime read_at = clock_.Now();
    auto counts = co_await store_.ReadCounts(shard, lanes, site.name, windows, ids);
    if (!counts.ok()) co_return counts.status();
    if (cache_.Complete(site, shard, articles, windows, read_at, remember, *counts)) co_return counts;
  }
  co_return absl::AbortedError("the store is older than what was written to it");
}

asio::awaitable<absl::StatusOr<std::vector<std::vector<int64_t>>>> CountReader::ReadWindows(
    const Site& site, Shard shard, const std::vector<Window>& windows, const std::vector<ArticleRef>& articles) {
  auto counts = co_await ReadCompleted(site, shard, articles, windows, false);
  if (!counts.ok()) co_return counts.status();
  co_return std::move(counts->counts);
}

}  // namespace viewcount
