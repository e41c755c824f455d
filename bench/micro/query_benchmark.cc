// Measures counts and popular lists of `range(0)` articles by Zipf's law. They are read from a Redis of the benchmark,
// or from memory, as the gRPC port answers without HTTP/2: request bytes → response bytes. A million views are pending,
// as after a second of heavy traffic. Items are counts or lists. `redis` and `service` are CPU seconds per item.
#include <benchmark/benchmark.h>
#include <google/protobuf/arena.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/articles.h"
#include "bench/micro/cpu_meter.h"
#include "service/base/check.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/query/list_api.h"
#include "service/query/query_api.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/manual_clock.h"

namespace viewcount {
namespace {

constexpr size_t kPendingViews = 1'000'000;
constexpr size_t kQuestions = 1'000;
constexpr size_t kArticlesEach = 20;
constexpr uint32_t kListArticles = 100;

// The articles in Redis and the readers of their counts. Their clock stands still, so data that was read once stays
// fresh. Used by one thread.
class Portal {
 public:
  explicit Portal(size_t articles)
      : ids_(ArticleIds(articles)),
        pipeline_(redis_),
        counts_(pipeline_.store(), pipeline_.cache(), clock_),
        popular_(pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}, clock_),
        totals_(pipeline_.store(), pipeline_.cache(), {&pipeline_.ledger()}),
        stats_(pipeline_.store(), totals_, clock_) {
    VIEWCOUNT_CHECK(pipeline_.Open().ok());
    const RankedArticles ranked(articles);
    std::vector<DecodedView> views;
    for (size_t rank = 1; rank <= articles; ++rank) {
      const auto count = static_cast<uint32_t>(std::max<size_t>(limits::kViewCountMax / rank, 1));
      views.push_back({.article_id = ids_[ranked.Index(rank)], .count = count});
    }
    pipeline_.Fold(views);
    VIEWCOUNT_CHECK(pipeline_.Flush(std::chrono::minutes(2)).ok());
    views.clear();
    for (const uint32_t index : ZipfDraws(articles, kPendingViews)) views.push_back({.article_id = ids_[index]});
    pipeline_.Fold(views);
  }

  // Returns the portal with this number of articles. The first call loads it, which takes as long as a flush of all
  // articles.
  static Portal& With(int64_t articles) {
    static std::map<int64_t, std::unique_ptr<Portal>> portals;
    auto& portal = portals[articles];
    if (portal == nullptr) portal = std::make_unique<Portal>(static_cast<size_t>(articles));
    return *portal;
  }

  const std::vector<std::string>& ids() const { return ids_; }
  RedisProcess& redis() { return redis_; }
  LanePipeline& pipeline() { return pipeline_; }
  QueryApi& api() { return api_; }
  ListApi& lists() { return lists_; }

 private:
  const std::vector<std::string> ids_;
  RedisProcess redis_;
  LanePipeline pipeline_;
  const ManualClock clock_;
  CountReader counts_;
  PopularReader popular_;
  SiteTotalReader totals_;
  SiteStatsReader stats_;
  ArticleCatalog catalog_{pipeline_.sites(), pipeline_.store(), clock_};
  CountExporter exporter_{pipeline_.store(), counts_, pipeline_.flush_function()};
  PublishedArticles published_{catalog_, clock_};
  ArticleLabels labels_{pipeline_.store(), catalog_, clock_};
  QueryApi api_{{pipeline_.sites(), counts_, stats_, totals_, labels_, clock_}};
  RisingReader rising_{popular_, counts_, totals_, clock_};
  RecentReader recent_{pipeline_.sites(), pipeline_.store(), popular_, clock_};
  ListApi lists_{{pipeline_.sites(), counts_, popular_, exporter_, catalog_, published_, rising_, recent_, clock_}};
};

// Returns requests for popular articles, as pages show them. Each page has different articles.
std::vector<v1::GetCountsRequest> CountQuestions(const Portal& portal) {
  std::vector<v1::GetCountsRequest> questions(kQuestions);
  const auto draws = ZipfDraws(portal.ids().size(), kQuestions * kArticlesEach);
  for (size_t i = 0; i < draws.size(); ++i) {
    v1::GetCountsRequest& question = questions[i / kArticlesEach];
    question.set_site("demo");
    question.add_article_ids(portal.ids()[draws[i]]);
  }
  return questions;
}

// Measures request bytes → response bytes by `answer(request, response)`. It uses an arena like cached_methods.cc.
template <typename Request, typename Response, typename Answer>
void AnswerCached(const std::string& bytes, Answer answer) {
  google::protobuf::Arena arena;
  auto* request = google::protobuf::Arena::CreateMessage<Request>(&arena);
  auto* response = google::protobuf::Arena::CreateMessage<Response>(&arena);
  VIEWCOUNT_CHECK(request->ParseFromString(bytes));
  const auto answered = answer(*request, *response);
  VIEWCOUNT_CHECK(answered && answered->ok());
  benchmark::DoNotOptimize(response->SerializeAsString());
}

// Measures how long the cache takes to find an article by its ID.
void CacheHit(benchmark::State& state) {
  Portal& portal = Portal::With(state.range(0));
  const auto questions = CountQuestions(portal);
  const auto site = portal.pipeline().site();
  std::vector<ArticleRef> articles;
  for (const v1::GetCountsRequest& question : questions) {
    v1::GetCountsResponse response;
    VIEWCOUNT_CHECK(portal.pipeline().Await(portal.api().GetCounts(question, response)).ok());
    for (const std::string& id : question.article_ids()) articles.push_back({id, ArticleHash(site->seed, id)});
  }
  size_t next = 0;
  for (auto _ : state) {
    const ArticleRef& article = articles[next];
    if (++next == articles.size()) next = 0;
    const auto known = portal.pipeline().cache().Find(*site, ShardOf(article.hash), article, SteadyTime::min());
    VIEWCOUNT_CHECK(known.has_value());
  }
  state.SetItemsProcessed(state.iterations());
}

// Measures requests for 20 articles each. Items are counts.
void GetCountsCached(benchmark::State& state) {
  Portal& portal = Portal::With(state.range(0));
  std::vector<std::string> requests;
  for (const v1::GetCountsRequest& question : CountQuestions(portal)) {
    v1::GetCountsResponse response;
    VIEWCOUNT_CHECK(portal.pipeline().Await(portal.api().GetCounts(question, response)).ok());
    requests.push_back(question.SerializeAsString());
  }
  const auto answer = [&](const auto& request, auto& response) {
    return portal.api().GetCountsCached(request, response);
  };
  size_t next = 0;
  for (auto _ : state) {
    AnswerCached<v1::GetCountsRequest, v1::GetCountsResponse>(requests[next], answer);
    if (++next == requests.size()) next = 0;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kArticlesEach));
}

// Measures reads of 20 articles from Redis. In the service this happens for the first request and once a second.
void ReadCounts(benchmark::State& state) {
  Portal& portal = Portal::With(state.range(0));
  std::vector<std::vector<std::string>> pages;
  for (const v1::GetCountsRequest& question : CountQuestions(portal)) {
    pages.emplace_back(question.article_ids().begin(), question.article_ids().end());
  }
  size_t next = 0;
  CpuMeter cpu(portal.redis());
  cpu.Begin();
  for (auto _ : state) {
    VIEWCOUNT_CHECK(portal.pipeline().Read(pages[next]).ok());
    if (++next == pages.size()) next = 0;
  }
  cpu.End();
  const int64_t counts = state.iterations() * static_cast<int64_t>(kArticlesEach);
  state.SetItemsProcessed(counts);
  cpu.Report(state, counts);
}

// Measures the list of the 100 most viewed articles of all time.
void ListPopularCached(benchmark::State& state) {
  Portal& portal = Portal::With(state.range(0));
  v1::ListPopularRequest question;
  question.set_site("demo");
  question.set_page_size(kListArticles);
  v1::ListPopularResponse list;
  VIEWCOUNT_CHECK(portal.pipeline().Await(portal.lists().ListPopular(question, list)).ok());
  VIEWCOUNT_CHECK(list.exact() && list.articles_size() == kListArticles);
  const std::string bytes = question.SerializeAsString();
  const auto answer = [&](const auto& request, auto& response) {
    return portal.lists().ListPopularCached(request, response);
  };
  for (auto _ : state) AnswerCached<v1::ListPopularRequest, v1::ListPopularResponse>(bytes, answer);
  state.SetItemsProcessed(state.iterations());
}

// Measures the reading of all shards' rankings from Redis, and the list that results. In the service this happens for
// the first request, and every 0.4 s for all later ones.
void ReadPopular(benchmark::State& state) {
  Portal& portal = Portal::With(state.range(0));
  CpuMeter cpu(portal.redis());
  cpu.Begin();
  for (auto _ : state) {
    const auto list = portal.pipeline().Popular();
    VIEWCOUNT_CHECK(list.ok() && list->exact && list->articles.size() >= kListArticles);
  }
  cpu.End();
  state.SetItemsProcessed(state.iterations());
  cpu.Report(state, state.iterations());
}

BENCHMARK(CacheHit)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(GetCountsCached)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(ReadCounts)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(ListPopularCached)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(ReadPopular)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace viewcount
