#include "service/query/list_api.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <charconv>
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
#include "service/query/window.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;

namespace {

// Returns the longest list of the same windows.
PopularReader::Question Deep(PopularReader::Question list) {
  list.places = limits::kDeepListMax;
  return list;
}

absl::Status NoDetails() {
  return RetryLater(absl::StatusCode::kUnavailable, "what was announced about the articles cannot be read",
                    limits::kRetryDelay);
}

// A page token names its list and the first rank of the next page.
std::string ListNameOf(const v1::ListPopularRequest& request, const std::vector<Window>& windows,
                       const ListFilter& filter) {
  std::string text = request.site();
  // The list of the last hours stays the same one when an hour ends.
  if (request.window().has_last()) {
    text += fmt::format(":last:{}", request.window().last().seconds());
  } else {
    for (const Window window : windows) text += fmt::format(":{}:{}", static_cast<int>(window.kind), window.number);
  }
  for (const std::string* label : {&filter.section, &filter.author, &filter.tag, &filter.language}) {
    text += fmt::format(":{}:{}", label->size(), *label);
  }
  return fmt::format("{:016x}", Hash64(text + fmt::format(":{}", request.published_within().seconds())));
}

// Returns the window before another one, which is as long.
v1::Window WindowBefore(const v1::Window& window, const TimeSpan& span, const Site& site) {
  v1::Window before;
  if (window.has_day()) {
    before.set_day(absl::FormatCivilTime(DayAt(span.start_unix_ms, site) - 1));
    return before;
  }
  int64_t start = span.start_unix_ms - (span.end_unix_ms - span.start_unix_ms);
  const absl::CivilDay first = DayAt(span.start_unix_ms, site), end = DayAt(span.end_unix_ms, site);
  // Days are not equally long where clocks change.
  const bool days = StartOf(first, site) == span.start_unix_ms && StartOf(end, site) == span.end_unix_ms;
  if (days) start = StartOf(first - (end - first), site);
  *before.mutable_range()->mutable_start() = TimeUtil::MillisecondsToTimestamp(std::max<int64_t>(0, start));
  *before.mutable_range()->mutable_end() = TimeUtil::MillisecondsToTimestamp(span.start_unix_ms);
  return before;
}

std::optional<size_t> OffsetOf(std::string_view token, std::string_view list) {
  if (token.empty()) return 0;
  if (token.size() <= list.size() || !token.starts_with(list) || token[list.size()] != '-') return std::nullopt;
  token.remove_prefix(list.size() + 1);
  size_t offset = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), offset);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return offset;
}

absl::Status CheckLabel(const char* field, const std::string& label) {
  if (label.size() <= limits::kArticleLabelBytesMax) return absl::OkStatus();
  return InvalidField(field, fmt::format("must be at most {} bytes", limits::kArticleLabelBytesMax));
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

absl::StatusOr<ListFilter> ListApi::FilterOf(const v1::ListPopularRequest& request) const {
  ListFilter filter{
      .section = request.section(), .author = request.author(), .tag = request.tag(), .language = request.language()};
  const std::pair<const char*, const std::string*> labels[] = {
      {"section", &filter.section}, {"author", &filter.author}, {"tag", &filter.tag}, {"language", &filter.language}};
  for (const auto& [field, label] : labels) {
    if (auto status = CheckLabel(field, *label); !status.ok()) return status;
  }
  if (request.has_published_within()) {
    const auto& within = request.published_within();
    const int64_t now = parts_.clock.UnixMillis();
    if (within.seconds() < 0 || within.nanos() < 0 || within.seconds() > now / 1'000) {
      return InvalidField("published_within", "must be 0 to 50 years");
    }
    filter.published_since = now - TimeUtil::DurationToMilliseconds(within);
  }
  return filter;
}

absl::StatusOr<ListApi::PopularQuestion> ListApi::QuestionOf(const v1::ListPopularRequest& request) const {
  PopularQuestion question{.site = parts_.sites.Find(request.site())};
  if (question.site == nullptr) return parts_.sites.Unknown(request.site());
  const int64_t now = parts_.clock.UnixMillis();
  auto asked = WindowsOf(request.window(), *question.site, now);
  if (!asked.ok()) return asked.status();
  question.list.windows = std::move(asked->windows);
  question.span = asked->span;
  auto filter = FilterOf(request);
  if (!filter.ok()) return filter.status();
  question.filter = *std::move(filter);
  if (request.page_size() > limits::kPageSizeMax) {
    return InvalidField("page_size",
                        fmt::format("must be 1 to {}, or 0 for {}", limits::kPageSizeMax, limits::kPageSizeDefault));
  }
  question.exact_required = request.exact_required();
  question.list_name = ListNameOf(request, question.list.windows, question.filter);
  const auto offset = OffsetOf(request.page_token(), question.list_name);
  if (!offset || *offset > limits::kDeepListMax) {
    return InvalidField("page_token", "is not one of this site, window and restriction");
  }
  question.begin = *offset;
  question.end = *offset + (request.page_size() > 0 ? request.page_size() : limits::kPageSizeDefault);
  const bool deep = !question.filter.empty() || question.end > limits::kRankedAllTimeAndDay;
  if (deep) question.list.places = limits::kDeepListMax;
  if (request.with_previous_rank() && question.span.end_unix_ms > 0) {
    auto before = WindowsOf(WindowBefore(request.window(), question.span, *question.site), *question.site, now);
    if (before.ok()) question.before = {.windows = std::move(before->windows), .places = question.list.places};
  }
  return question;
}

std::optional<ShownList> ListApi::ShowCached(const PopularQuestion& question,
                                             const PopularReader::Question& asked) const {
  auto list = parts_.popular.ReadCached(*question.site, asked);
  if (!list) return std::nullopt;
  auto details = parts_.catalog.FindDetails(*question.site, IdsOf(*list));
  if (!details) return std::nullopt;
  return ShownList(*std::move(list), asked.places, *std::move(details), question.filter);
}

asio::awaitable<absl::StatusOr<ShownList>> ListApi::Show(const PopularQuestion& question,
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

std::optional<absl::Status> ListApi::ListPopularCached(const v1::ListPopularRequest& request,
                                                       v1::ListPopularResponse& response) {
  const auto question = QuestionOf(request);
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
  const auto question = QuestionOf(request);
  if (!question.ok()) co_return question.status();
  auto list = co_await Show(*question, question->list);
  if (!list.ok()) co_return list.status();
  if (list->NeedsMore(question->end) && question->list.places < limits::kDeepListMax) {
    list = co_await Show(*question, Deep(question->list));
    if (!list.ok()) co_return list.status();
  }
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

asio::awaitable<absl::StatusOr<ShownList>> ListApi::ScanPopular(const PopularQuestion& question) const {
  const auto begun = co_await parts_.exporter.Begin(question.site, question.list.windows);
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

void ListApi::FillPage(const PopularQuestion& question, const ShownList& list, const ShownList* before,
                       v1::ListPopularResponse& response) {
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
  const bool proven = list.IsProven(question.begin, question.end);
  response.set_exact(proven);
  if (!proven) response.set_error_bound(list.error_bound());
  *response.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(list.as_of_unix_ms());
  if (question.span.end_unix_ms > 0) {
    *response.mutable_span()->mutable_start() = TimeUtil::MillisecondsToTimestamp(question.span.start_unix_ms);
    *response.mutable_span()->mutable_end() = TimeUtil::MillisecondsToTimestamp(question.span.end_unix_ms);
  }
  if (question.end < list.size()) response.set_next_page_token(fmt::format("{}-{}", question.list_name, question.end));
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
