// The lists of ListApi that are ordered by a score, and what is read right now.
#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "service/base/status.h"
#include "service/query/article_sums.h"
#include "service/query/list_api.h"
#include "service/query/list_limits.h"
#include "service/query/trending.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;

namespace {

constexpr char kRisingFormula[] =
    "2 * (k * ln(k / (e * p)) + u * ln(u / (f * p))) with p = (k + u) / (e + f); k: the article's views in span, "
    "u: those in usual, e: the site's views in span, f: those in usual";

// Returns the restrictions and the page of a request as those of a popular list.
template <typename Request>
v1::ListPopularRequest PageOf(const Request& request) {
  v1::ListPopularRequest page;
  page.set_site(request.site());
  page.set_section(request.section());
  page.set_author(request.author());
  page.set_tag(request.tag());
  page.set_language(request.language());
  if (request.has_published_within()) *page.mutable_published_within() = request.published_within();
  page.set_page_size(request.page_size());
  if constexpr (requires { request.page_token(); }) page.set_page_token(request.page_token());
  return page;
}

absl::StatusOr<int64_t> RecentSpanOf(const v1::ListNowRequest& request) {
  constexpr int64_t kStepSeconds = std::chrono::seconds(kRecentStep).count();
  if (!request.has_last()) return std::chrono::milliseconds(kRecentDefault).count();
  const auto& last = request.last();
  const bool steps = last.nanos() == 0 && last.seconds() % kStepSeconds == 0;
  if (!steps || last.seconds() <= 0 || last.seconds() > std::chrono::seconds(kRecentMax).count()) {
    return InvalidField(
        "last", fmt::format("must be a multiple of {} minutes, up to {}", kRecentStep.count(), kRecentMax.count()));
  }
  return last.seconds() * 1'000;
}

double ScoreOf(uint64_t weighted) { return static_cast<double>(weighted) / WeightedWindows::kFullWeight; }

}  // namespace

asio::awaitable<absl::StatusOr<std::shared_ptr<const ListApi::Sums>>> ListApi::ReadTrendingViews(
    std::shared_ptr<const Site> site, std::vector<Window> hours, std::vector<std::string> ids) {
  const std::tuple key{site->name, hours, ids};
  const std::function<asio::awaitable<absl::StatusOr<std::shared_ptr<const Sums>>>()> read =
      [&]() -> asio::awaitable<absl::StatusOr<std::shared_ptr<const Sums>>> {
    const auto sums = std::make_shared<Sums>();
    sums->as_of_unix_ms = parts_.clock.UnixMillis();
    if (!ids.empty()) {
      auto views = co_await ReadArticleSums(parts_.counts, site, hours, ids);
      if (!views.ok()) co_return views.status();
      sums->sums = *std::move(views);
    }
    co_return std::shared_ptr<const Sums>(sums);
  };
  co_return co_await trending_views_.Read(key, read);
}

asio::awaitable<absl::Status> ListApi::ListTrending(const v1::ListTrendingRequest& request,
                                                    v1::ListTrendingResponse& response) {
  ListQuestion question{.site = parts_.sites.Find(request.site())};
  if (question.site == nullptr) co_return parts_.sites.Unknown(request.site());
  const int64_t now = parts_.clock.UnixMillis();
  auto sum = TrendingSumOf(request, now);
  if (!sum.ok()) co_return sum.status();
  question.list.windows = std::move(sum->windows);
  v1::ListPopularRequest page = PageOf(request);
  // The list stays the same one when an hour ends.
  page.mutable_window()->mutable_last()->set_seconds((sum->span.end_unix_ms - sum->span.start_unix_ms) / 1'000);
  const std::string kind = "trending:" + std::to_string(sum->half_life_ms);
  if (auto status = question.SetPage(page, kind, kScoredPageSizeMax, now); !status.ok()) co_return status;
  const auto list = co_await ShowPage(question);
  if (!list.ok()) co_return list.status();
  std::vector<std::string> ids;
  for (size_t place = question.begin; place < std::min(question.end, list->size()); ++place) {
    v1::RankedArticle& article = *response.add_articles();
    list->Fill(place, article);
    article.set_score(ScoreOf(article.views()));
    ids.push_back(article.article_id());
  }
  const auto views = co_await ReadTrendingViews(question.site, std::move(sum->hours), std::move(ids));
  if (!views.ok()) co_return views.status();
  for (int i = 0; i < response.articles_size(); ++i) {
    response.mutable_articles(i)->set_views(ShownCount((*views)->sums[static_cast<size_t>(i)]));
  }
  // The oldest hour may have expired meanwhile.
  const bool kept = FirstKeptHour(question.site->settings, parts_.clock.UnixMillis()) <= sum->span.start_unix_ms;
  const bool proven = kept && list->IsProven(question.begin, question.end);
  response.set_exact(proven);
  if (!proven) response.set_error_bound(ScoreOf(list->error_bound()));
  const int64_t as_of = std::min(list->as_of_unix_ms(), (*views)->as_of_unix_ms);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(as_of);
  Fill(sum->span, *response.mutable_span());
  *response.mutable_half_life() = TimeUtil::MillisecondsToDuration(sum->half_life_ms);
  response.set_formula(std::move(sum->formula));
  if (question.end < list->size()) response.set_next_page_token(question.TokenAt(question.end));
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> ListApi::ListRising(const v1::ListRisingRequest& request,
                                                  v1::ListRisingResponse& response) {
  ListQuestion question{.site = parts_.sites.Find(request.site())};
  if (question.site == nullptr) co_return parts_.sites.Unknown(request.site());
  const auto hours = LastHoursOf(request.window(), kRisingHoursDefault.count(), kRisingHoursMax.count());
  if (!hours.ok()) co_return hours.status();
  v1::ListPopularRequest page = PageOf(request);
  page.mutable_window()->mutable_last()->set_seconds(*hours * 3'600);
  auto status = question.SetPage(page, "rising", kScoredPageSizeMax, parts_.clock.UnixMillis());
  if (!status.ok()) co_return status;
  const auto list = co_await parts_.rising.Read(question.site, *hours);
  if (!list.ok()) co_return list.status();
  std::vector<std::string_view> ids;
  for (const RisingArticle& article : (*list)->articles) ids.push_back(article.article_id);
  const auto details = co_await parts_.catalog.ReadDetails(question.site, std::move(ids));
  if (!details.complete && !question.filter.empty()) co_return NoDetails();
  size_t place = 0;
  double last_score = 0;
  bool more = false;
  for (size_t i = 0; i < (*list)->articles.size(); ++i) {
    const RisingArticle& rising = (*list)->articles[i];
    if (!question.filter.Shows(details.articles[i].get())) continue;
    more = place == question.end;
    if (more) break;
    if (place++ < question.begin) continue;
    v1::RankedArticle& article = *response.add_articles();
    article.set_article_id(rising.article_id);
    article.set_views(rising.views);
    article.set_rank(static_cast<uint32_t>(place));
    article.set_score(last_score = rising.score);
    article.set_usual_views(rising.usual_views);
    FillDetails(details.articles[i].get(), article);
  }
  const bool full = place == question.end;
  const bool proven = (*list)->exact && details.complete && (*list)->others_max < (full ? last_score : kRisingScoreMin);
  response.set_exact(proven);
  if (!proven) response.set_error_bound((*list)->others_max);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp((*list)->as_of_unix_ms);
  Fill((*list)->span, *response.mutable_span());
  Fill((*list)->usual, *response.mutable_usual());
  response.set_formula(kRisingFormula);
  if (more) response.set_next_page_token(question.TokenAt(question.end));
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> ListApi::ListNow(const v1::ListNowRequest& request, v1::ListNowResponse& response) {
  ListQuestion question{.site = parts_.sites.Find(request.site())};
  if (question.site == nullptr) co_return parts_.sites.Unknown(request.site());
  const auto last = RecentSpanOf(request);
  if (!last.ok()) co_return last.status();
  v1::ListPopularRequest page = PageOf(request);
  auto status = question.SetPage(page, "now", kScoredPageSizeMax, parts_.clock.UnixMillis());
  if (!status.ok()) co_return status;
  const auto read = co_await parts_.recent.Read(question.site, *last);
  if (!read.ok()) co_return read.status();
  const RecentList& list = **read;
  std::vector<std::string_view> ids;
  for (const PopularArticle& article : list.articles) ids.push_back(article.article_id);
  const auto details = co_await parts_.catalog.ReadDetails(question.site, std::move(ids));
  if (!details.complete && !question.filter.empty()) co_return NoDetails();
  for (size_t i = 0; i < list.articles.size(); ++i) {
    if (static_cast<size_t>(response.articles_size()) == question.end) break;
    if (!question.filter.Shows(details.articles[i].get())) continue;
    v1::RankedArticle& article = *response.add_articles();
    article.set_article_id(list.articles[i].article_id);
    article.set_views(list.articles[i].views);
    article.set_rank(static_cast<uint32_t>(response.articles_size()));
    FillDetails(details.articles[i].get(), article);
  }
  const bool full = static_cast<size_t>(response.articles_size()) == question.end;
  const uint64_t least = full ? response.articles(response.articles_size() - 1).views() : 1;
  const bool proven = list.exact && details.complete && list.others_max < least;
  response.set_exact(proven);
  if (!proven) response.set_error_bound(list.others_max);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(list.as_of_unix_ms);
  Fill(list.span, *response.mutable_span());
  co_return absl::OkStatus();
}

}  // namespace viewcount
