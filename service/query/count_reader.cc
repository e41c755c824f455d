#include "service/query/count_reader.h"

#include <algorithm>
#include <map>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/wait_group.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Of the article that it is counted for.
ArticleRef RefOf(const Site& site, std::string_view id) {
  id = site.Resolve(id);
  return {id, ArticleHash(site.seed, id)};
}

}  // namespace

int64_t CountReader::UnixMillisOf(SteadyTime time) const {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  return clock_.UnixMillis() - duration_cast<milliseconds>(clock_.Now() - time).count();
}

std::optional<Counts> CountReader::ReadCached(const Site& site, const std::vector<std::string>& ids) {
  const SteadyTime now = clock_.Now();
  SteadyTime oldest = now;
  Counts counts;
  counts.totals.reserve(ids.size());
  for (const std::string& id : ids) {
    const ArticleRef article = RefOf(site, id);
    const auto known = cache_.Find(site, ShardOf(article.hash), article, now - limits::kCountCacheAge);
    if (!known) return std::nullopt;
    counts.totals.push_back(known->totals);
    oldest = std::min(oldest, known->read_at);
  }
  counts.as_of_unix_ms = UnixMillisOf(oldest);
  return counts;
}

asio::awaitable<absl::StatusOr<Counts>> CountReader::Read(std::shared_ptr<const Site> site,
                                                          const std::vector<std::string>& ids) {
  std::map<Shard, ShardQuestion> questions;
  for (size_t i = 0; i < ids.size(); ++i) {
    const ArticleRef article = RefOf(*site, ids[i]);
    ShardQuestion& question = questions[ShardOf(article.hash)];
    question.shard = ShardOf(article.hash);
    question.articles.push_back(article);
    question.places.push_back(i);
  }
  Counts counts;
  counts.totals.resize(ids.size());
  counts.as_of_unix_ms = clock_.UnixMillis();
  absl::Status failed;
  WaitGroup reads(co_await asio::this_coro::executor);
  for (const auto& [shard, question] : questions) {
    reads.Spawn([](CountReader& self, const Site& of, const ShardQuestion& asked, Counts& into,
                   absl::Status& error) -> asio::awaitable<void> {
      if (auto status = co_await self.ReadShard(of, asked, into); !status.ok()) error = status;
    }(*this, *site, question, counts, failed));
  }
  co_await reads.Wait();
  if (!failed.ok()) co_return failed;
  co_return counts;
}

asio::awaitable<absl::Status> CountReader::ReadShard(const Site& site, const ShardQuestion& question, Counts& counts) {
  const std::vector<Window> windows = {{Window::Kind::kAllTime, 0}, {Window::Kind::kBots, 0}};
  const int64_t began = clock_.UnixMillis();
  const auto read = co_await ReadCompleted(site, question.shard, question.articles, windows, true);
  if (!read.ok()) co_return AnswerFromCache(site, question, read.status(), counts);
  counts.as_of_unix_ms = std::min(counts.as_of_unix_ms, began);
  for (size_t i = 0; i < question.places.size(); ++i) {
    counts.totals[question.places[i]] = {ShownCount(read->counts[0][i]), ShownCount(read->counts[1][i])};
  }
  co_return absl::OkStatus();
}

absl::Status CountReader::AnswerFromCache(const Site& site, const ShardQuestion& question, const absl::Status& error,
                                          Counts& counts) {
  counts.exact = false;
  for (size_t i = 0; i < question.places.size(); ++i) {
    const auto known = cache_.Find(site, question.shard, question.articles[i], SteadyTime::min());
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
