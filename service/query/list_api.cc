#include "service/query/list_api.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/articles/article_limits.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/query/asked_articles.h"
#include "service/query/kept_windows.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;

namespace {

// Returns the longest list of the same windows.
PopularReader::Question Deep(PopularReader::Question list) {
  list.places = limits::kDeepListMax;
  return list;
}

void Fill(const PublishedArticle& published, v1::ListedArticle& article) {
  const v1::Article& details = *published.details;
  article.set_article_id(published.article_id);
  article.set_title(details.title());
  article.set_url(details.url());
  *article.mutable_publish_time() = details.publish_time();
  *article.mutable_sections() = details.sections();
  *article.mutable_authors() = details.authors();
  article.set_image_url(details.image_url());
  article.set_language(details.language());
}

}  // namespace

std::optional<ShownList> ListApi::ShowCached(const ListQuestion& question, const PopularReader::Question& asked) const {
  auto list = parts_.popular.ReadCached(*question.site, asked);
  if (!list) return std::nullopt;
  auto details = parts_.catalog.FindDetails(*question.site, IdsOf(*list));
  if (!details) return std::nullopt;
  return ShownList(*std::move(list), asked.places, *std::move(details), question.filter);
}

asio::awaitable<absl::StatusOr<ShownList>> ListApi::Show(const ListQuestion& question,
                                                         const PopularReader::Question& asked) const {
  auto list = co_await parts_.popular.Read(question.site, asked);
  if (!list.ok()) co_return list.status();
  auto ids = IdsOf(*list);
  auto details = co_await parts_.catalog.ReadDetails(question.site, std::move(ids));
  if (!details.complete && !question.filter.empty()) co_return NoDetails();
  // It may have hidden articles.
  if (!details.complete) list->exact = list->current = false;
  co_return ShownList(*std::move(list), asked.places, std::move(details.articles), question.filter);
}

asio::awaitable<absl::StatusOr<ShownList>> ListApi::ShowPage(const ListQuestion& question) const {
  // An exact list may be known only after another read.
  auto cached = question.exact_required ? std::nullopt : ShowCached(question, question.list);
  if (cached && cached->NeedsMore(question.end)) cached = ShowCached(question, Deep(question.list));
  if (cached) co_return *std::move(cached);
  auto list = co_await Show(question, question.list);
  if (!list.ok() || !list->NeedsMore(question.end) || question.list.places == limits::kDeepListMax) co_return list;
  co_return co_await Show(question, Deep(question.list));
}

std::optional<absl::Status> ListApi::ListPopularCached(const v1::ListPopularRequest& request,
                                                       v1::ListPopularResponse& response) {
  const auto question = PopularQuestionOf(request, parts_.sites, parts_.clock.UnixMillis());
  if (!question.ok()) return question.status();
  auto list = ShowCached(*question, question->list);
  if (list && list->NeedsMore(question->end)) list = ShowCached(*question, Deep(question->list));
  if (!list || (question->exact_required && !list->IsProven(question->begin, question->end))) return std::nullopt;
  std::optional<ShownList> before;
  if (question->before) {
    before = ShowCached(*question, *question->before);
    if (!before) return std::nullopt;
  }
  FillPage(*question, *list, before ? &*before : nullptr, response);
  return absl::OkStatus();
}

asio::awaitable<absl::Status> ListApi::ListPopular(const v1::ListPopularRequest& request,
                                                   v1::ListPopularResponse& response) {
  if (auto answered = ListPopularCached(request, response)) co_return *answered;
  const auto question = PopularQuestionOf(request, parts_.sites, parts_.clock.UnixMillis());
  if (!question.ok()) co_return question.status();
  auto list = co_await ShowPage(*question);
  if (!list.ok()) co_return list.status();
  if (question->exact_required && !list->IsProven(question->begin, question->end)) {
    list = co_await ScanPopular(*question);
    if (!list.ok()) co_return list.status();
  }
  std::optional<ShownList> before;
  if (question->before) {
    auto shown = co_await Show(*question, *question->before);
    // The ranks of the window before are left out if they cannot be read.
    if (shown.ok()) before = *std::move(shown);
  }
  FillPage(*question, *list, before ? &*before : nullptr, response);
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<ShownList>> ListApi::ScanPopular(const ListQuestion& question) const {
  const auto begun = co_await parts_.exporter.Begin(question.site, question.list.windows.windows);
  if (!begun.ok()) co_return begun.status();
  const size_t places = std::max(question.end, question.list.places);
  PopularList list;
  list.as_of_unix_ms = parts_.clock.UnixMillis();
  while (true) {
    auto piece = co_await (*begun)->Next();
    if (!piece.ok()) co_return piece.status();
    if (!*piece) break;
    std::vector<std::string_view> ids((*piece)->ids.begin(), (*piece)->ids.end());
    const auto details = co_await parts_.catalog.ReadDetails(question.site, std::move(ids));
    if (!details.complete) co_return NoDetails();
    for (size_t i = 0; i < (*piece)->ids.size(); ++i) {
      const uint64_t views = (*piece)->totals[i].views;
      if (views > 0 && question.filter.Shows(details.articles[i].get())) {
        list.articles.push_back({std::move((*piece)->ids[i]), views});
      }
    }
    std::sort(list.articles.begin(), list.articles.end(), ComesBefore);
    if (list.articles.size() > places) list.articles.resize(places);
  }
  auto ids = IdsOf(list);
  auto details = co_await parts_.catalog.ReadDetails(question.site, std::move(ids));
  if (!details.complete) co_return NoDetails();
  // However long it is, it lacks nothing that the question asks for.
  co_return ShownList(std::move(list), places + 1, std::move(details.articles), question.filter);
}

void ListApi::FillPage(const ListQuestion& question, const ShownList& list, const ShownList* before,
                       v1::ListPopularResponse& response) const {
  // The oldest hour or day may have been removed during the read.
  const int64_t now = parts_.clock.UnixMillis();
  const auto are_kept = [&](const PopularReader::Question& read) {
    return AreKept(read.windows.windows, parts_.sites, *question.site, now);
  };
  if (before != nullptr && !are_kept(*question.before)) before = nullptr;
  std::map<std::string_view, uint32_t> ranks;
  for (size_t place = 0; before != nullptr && place < before->size() && place < limits::kRankedAllTimeAndDay; ++place) {
    if (!before->IsProven(0, place + 1)) break;
    ranks[before->id(place)] = static_cast<uint32_t>(place + 1);
  }
  for (size_t place = question.begin; place < std::min(question.end, list.size()); ++place) {
    v1::RankedArticle& article = *response.add_articles();
    list.Fill(place, article);
    const auto rank = ranks.find(list.id(place));
    if (rank != ranks.end()) article.set_previous_rank(rank->second);
  }
  const bool proven = are_kept(question.list) && list.IsProven(question.begin, question.end);
  response.set_exact(proven);
  if (!proven) response.set_error_bound(list.error_bound());
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(list.as_of_unix_ms());
  if (question.span.end_unix_ms > 0) Fill(question.span, *response.mutable_span());
  if (question.end < list.size()) response.set_next_page_token(question.TokenAt(question.end));
}

asio::awaitable<absl::StatusOr<std::optional<Publication>>> ListApi::MiddleOf(
    std::shared_ptr<const Site> site, const v1::ListArticlesRequest& request) const {
  std::optional<Publication> middle;
  if (request.around_case() == v1::ListArticlesRequest::AROUND_NOT_SET) co_return middle;
  if (request.has_time()) {
    if (!IsTime(request.time())) co_return InvalidField("time", "must be a time from the year 1 to 9999");
    middle = Publication{.unix_ms = TimeUtil::TimestampToMilliseconds(request.time())};
    co_return middle;
  }
  const auto asked = ArticleOf(*site, request);
  if (!asked.ok()) co_return asked.status();
  if (asked->empty()) co_return InvalidField("article_id", "must not be empty; without it the middle is now");
  const std::string id(site->Resolve(*asked));
  const std::vector<std::string_view> ids = {id};
  const auto details = co_await parts_.catalog.ReadDetails(site, ids);
  if (!details.complete) co_return NoDetails();
  const ArticleDetails& article = details.articles.front();
  const auto published = article == nullptr ? std::nullopt : PublishTimeOf(*article);
  if (!published) {
    co_return ErrorWithReason(absl::StatusCode::kNotFound,
                              fmt::format("the article \"{}\" was not announced with a time of publication", id),
                              "NO_PUBLISH_TIME");
  }
  middle = Publication{.unix_ms = *published, .article_id = id};
  co_return middle;
}

asio::awaitable<absl::Status> ListApi::ListArticles(const v1::ListArticlesRequest& request,
                                                    v1::ListArticlesResponse& response) {
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  for (const auto& [field, number] : {std::pair("before", request.before()), std::pair("after", request.after())}) {
    if (number > kListedArticlesMax) co_return InvalidField(field, fmt::format("must be 0 to {}", kListedArticlesMax));
  }
  if (request.before() == 0 && request.after() == 0) {
    co_return InvalidField("before", fmt::format("or after must be 1 to {}", kListedArticlesMax));
  }
  if (auto status = CheckLabel("section", request.section()); !status.ok()) co_return status;
  auto middle = co_await MiddleOf(site, request);
  if (!middle.ok()) co_return middle.status();
  PublishedArticles::Question question{.middle = *std::move(middle), .section = request.section()};
  std::vector<std::string> ids;
  bool exact = true;
  for (const bool newer : {true, false}) {
    question.newer = newer;
    question.articles_max = newer ? request.after() : request.before();
    if (question.articles_max == 0) continue;
    const auto answer = co_await parts_.published.Read(site, question);
    if (!answer.ok()) co_return answer.status();
    exact = exact && answer->complete;
    for (const PublishedArticle& published : answer->articles) {
      Fill(published, *(newer ? response.add_newer() : response.add_earlier()));
      ids.push_back(published.article_id);
    }
  }
  int64_t as_of_unix_ms = parts_.clock.UnixMillis();
  if (!ids.empty()) {
    const auto counts = co_await parts_.counts.ReadMissing(site, ids);
    if (!counts.ok()) co_return counts.status();
    exact = exact && counts->exact;
    as_of_unix_ms = counts->as_of_unix_ms;
    size_t next = 0;
    for (auto& article : *response.mutable_newer()) article.set_views(counts->totals[next++].views);
    for (auto& article : *response.mutable_earlier()) article.set_views(counts->totals[next++].views);
  }
  response.set_exact(exact);
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(as_of_unix_ms);
  co_return absl::OkStatus();
}

}  // namespace viewcount
