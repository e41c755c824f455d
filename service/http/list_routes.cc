#include "service/http/list_routes.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "service/base/status.h"
#include "service/http/api_answer.h"
#include "service/http/cached_response.h"
#include "service/http/csv_answer.h"
#include "service/http/embed_routes.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"
#include "service/http/question_parameters.h"
#include "service/query/csv_tables.h"
#include "service/web/popular_feed.h"
#include "service/web/popular_page.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using Answer = awaitable<absl::StatusOr<HttpResponse>>;
using google::protobuf::util::TimeUtil;

// Returns whether an answer may keep Redis busy for a while. Every other window is another list to be read, so
// strangers may choose among few.
bool IsCostly(const v1::ListPopularRequest& question) {
  constexpr std::array<int64_t, 9> kHours = {1, 3, 6, 12, 24, 48, 168, 336, 720};
  if (question.exact_required() || question.window().has_range()) return true;
  if (!question.window().has_last()) return false;
  const auto& last = question.window().last();
  // Times that are no whole hours are refused anyway.
  return last.seconds() % 3'600 == 0 && std::ranges::find(kHours, last.seconds() / 3'600) == kHours.end();
}

// Fills the restrictions and the page of a list.
template <typename Request>
absl::Status FillPage(const Parameters& parameters, Request& question) {
  for (const char* name : {"section", "author", "tag", "language"}) {
    if (auto status = CheckNotEmpty(parameters, name); !status.ok()) return status;
  }
  question.set_section(parameters.Find("section").value_or(""));
  question.set_author(parameters.Find("author").value_or(""));
  question.set_tag(parameters.Find("tag").value_or(""));
  question.set_language(parameters.Find("language").value_or(""));
  const auto within = DurationOf(parameters, "publishedWithin");
  if (!within.ok()) return within.status();
  if (*within) *question.mutable_published_within() = TimeUtil::MillisecondsToDuration(**within);
  if constexpr (requires { question.page_token(); }) {
    question.set_page_token(parameters.Find("pageToken").value_or(""));
  }
  const auto size = NumberOf(parameters, "pageSize");
  if (!size.ok()) return size.status();
  question.set_page_size(size->value_or(0));
  return absl::OkStatus();
}

absl::Status FillPopular(const Parameters& parameters, v1::ListPopularRequest& question) {
  const auto has = [&](const char* name) { return parameters.Find(name).has_value(); };
  const bool has_span = has("window.last") || has("window.day") || has("window.start") || has("window.end");
  if (const auto all = parameters.Find("window.allTime")) {
    if (has_span) return InvalidField("window", "is either all time or a part of it");
    if (*all != "true") return InvalidField("window.allTime", "must be true");
    question.mutable_window()->set_all_time(true);
  } else if (has_span) {
    if (auto status = FillSpan(parameters, *question.mutable_window()); !status.ok()) return status;
  }
  const auto exact = SwitchOf(parameters, "exactRequired"), previous = SwitchOf(parameters, "withPreviousRank");
  for (const auto* given : {&exact, &previous}) {
    if (!given->ok()) return given->status();
  }
  question.set_exact_required(*exact);
  question.set_with_previous_rank(*previous);
  return FillPage(parameters, question);
}

absl::Status FillArticles(const Parameters& parameters, v1::ListArticlesRequest& question) {
  if (auto status = CheckNotEmpty(parameters, "section"); !status.ok()) return status;
  question.set_section(parameters.Find("section").value_or(""));
  size_t middles = 0;
  for (const char* name : {"article", "address", "canonical", "time"}) {
    const auto values = parameters.All(name);
    middles += values.size();
    if (middles > 1 || (!values.empty() && values[0].empty())) {
      return InvalidField(name, "must not be empty, and the only one of article, address, canonical and time");
    }
  }
  if (const auto article = parameters.Find("article")) question.set_article_id(*article);
  if (const auto address = parameters.Find("address")) question.set_address(*address);
  if (const auto canonical = parameters.Find("canonical")) question.set_canonical_address(*canonical);
  const auto time = TimeOf(parameters, "time");
  if (!time.ok()) return time.status();
  if (*time) *question.mutable_time() = **time;
  const auto before = NumberOf(parameters, "before"), after = NumberOf(parameters, "after");
  if (!before.ok()) return before.status();
  if (!after.ok()) return after.status();
  question.set_before(before->value_or(0));
  question.set_after(after->value_or(0));
  return absl::OkStatus();
}

constexpr char kCostlyLists[] =
    "exactRequired, for a range, or for a window.last other than 1h, 3h, 6h, 12h, 24h, 48h, 7d, 14d and 30d";
// Readers of feeds ask every few minutes.
constexpr char kFeedCacheControl[] = "public, max-age=60";

// Returns an origin of the portal's pages; empty if none is known.
std::string_view OriginOf(const Site& site) {
  for (const std::string& origin : site.settings.allowed_origins) {
    if (origin.find('*') == std::string::npos) return origin;
  }
  return "";
}

absl::Status TakeFeedLanguage(const Parameters& parameters, FeedOptions& options) {
  const auto language = parameters.Find("lang");
  if (!language) return absl::OkStatus();
  const auto grouping = DigitGroupingOf(*language);
  if (!grouping) return InvalidField("lang", "must be a language that is known here, such as vi, en or de-CH");
  options.grouping = *grouping;
  options.vietnamese = *language == "vi" || language->starts_with("vi-");
  return absl::OkStatus();
}

// The number of articles on an embedded page.
constexpr uint32_t kEmbeddedArticles = 10;
constexpr uint32_t kEmbeddedArticlesMax = 50;

class Lists {
 public:
  Lists(ListApi& lists, const ClientTrust& trust, asio::any_io_executor store, bool tls)
      : lists_(lists), trust_(trust), store_(std::move(store)), tls_(tls) {}

  Answer Popular(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::ListPopularRequest question;
    question.set_site(site->name);
    if (auto status = FillPopular(*parameters, question); !status.ok()) co_return status;
    if (IsCostly(question) && !IsBackend(request)) {
      co_return ForBackends(kCostlyLists);
    }
    const auto csv = AsksForCsv(*parameters);
    if (!csv.ok()) co_return csv.status();
    if (*csv) {
      v1::ListPopularResponse list;
      const auto status = co_await OnStore(store_, lists_.ListPopular(question, list));
      if (!status.ok()) co_return status;
      co_return CsvResponse(PopularCsv(list));
    }
    co_return co_await AnswerFrom(store_, lists_, std::move(question), &ListApi::ListPopular);
  }

  enum class Feed : uint8_t { kRss, kJson };
  Answer PopularFeed(const HttpRequest& request, std::shared_ptr<const Site> site, Feed feed) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    FeedOptions options{.site = site->name, .origin = OriginOf(*site)};
    if (auto status = TakeFeedLanguage(*parameters, options); !status.ok()) co_return status;
    v1::ListPopularRequest question;
    question.set_site(site->name);
    if (auto status = FillPopular(*parameters, question); !status.ok()) co_return status;
    if (IsCostly(question) && !IsBackend(request)) co_return ForBackends(kCostlyLists);
    v1::ListPopularResponse list;
    const auto status = co_await OnStore(store_, lists_.ListPopular(question, list));
    if (!status.ok()) co_return status;
    Content content{.type = "application/rss+xml; charset=utf-8"};
    if (feed == Feed::kJson) content.type = "application/feed+json";
    content.body = feed == Feed::kRss ? RssOf(list, options) : JsonFeedOf(list, options);
    co_return CachedResponse(request, content, kFeedCacheControl);
  }

  Answer PopularPage(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    PopularPageOptions options{.feed = {.site = site->name, .origin = OriginOf(*site)}};
    if (auto status = TakeFeedLanguage(*parameters, options.feed); !status.ok()) co_return status;
    const std::string theme = parameters->Find("theme").value_or("auto");
    if (theme != "auto" && theme != "light" && theme != "dark") {
      co_return InvalidField("theme", "must be one of auto, light, dark");
    }
    options.theme = theme == "light" ? Theme::kLight : theme == "dark" ? Theme::kDark : Theme::kAuto;
    v1::ListPopularRequest question;
    question.set_site(site->name);
    if (auto status = FillPopular(*parameters, question); !status.ok()) co_return status;
    if (IsCostly(question) && !IsBackend(request)) co_return ForBackends(kCostlyLists);
    const auto limit = NumberOf(*parameters, "limit");
    if (!limit.ok()) co_return limit.status();
    question.set_page_size(limit->value_or(kEmbeddedArticles));
    if (question.page_size() < 1 || question.page_size() > kEmbeddedArticlesMax) {
      co_return InvalidField("limit", fmt::format("must be 1 to {}", kEmbeddedArticlesMax));
    }
    v1::ListPopularResponse list;
    const auto status = co_await OnStore(store_, lists_.ListPopular(question, list));
    if (!status.ok()) co_return status;
    const std::string oembed = OembedAddress(request, tls_);
    options.oembed_address = oembed;
    const Content content{.type = "text/html; charset=utf-8", .body = viewcount::PopularPage(list, options)};
    HttpResponse response = CachedResponse(request, content, kFeedCacheControl);
    response.set("Content-Security-Policy", EmbedPolicy(*site));
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Referrer-Policy", "no-referrer");
    co_return response;
  }

  Answer Trending(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::ListTrendingRequest question;
    question.set_site(site->name);
    const auto half_life = DurationOf(*parameters, "halfLife"), last = DurationOf(*parameters, "window.last");
    if (!half_life.ok()) co_return half_life.status();
    if (!last.ok()) co_return last.status();
    if (*half_life) *question.mutable_half_life() = TimeUtil::MillisecondsToDuration(**half_life);
    if (*last) *question.mutable_window()->mutable_last() = TimeUtil::MillisecondsToDuration(**last);
    if (auto status = FillPage(*parameters, question); !status.ok()) co_return status;
    if (!MayChoose(request, *half_life, {1, 3, 6, 12, 24, 48}) || (*last && !IsBackend(request))) {
      co_return ForBackends("window.last, or for a halfLife other than 1h, 3h, 6h, 12h, 24h and 48h");
    }
    co_return co_await AnswerFrom(store_, lists_, std::move(question), &ListApi::ListTrending);
  }

  Answer Rising(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::ListRisingRequest question;
    question.set_site(site->name);
    const auto last = DurationOf(*parameters, "window.last");
    if (!last.ok()) co_return last.status();
    if (*last) *question.mutable_window()->mutable_last() = TimeUtil::MillisecondsToDuration(**last);
    if (auto status = FillPage(*parameters, question); !status.ok()) co_return status;
    if (!MayChoose(request, *last, {1, 3, 6, 12, 24})) {
      co_return ForBackends("a window.last other than 1h, 3h, 6h, 12h and 24h");
    }
    co_return co_await AnswerFrom(store_, lists_, std::move(question), &ListApi::ListRising);
  }

  Answer Now(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::ListNowRequest question;
    question.set_site(site->name);
    const auto last = DurationOf(*parameters, "last");
    if (!last.ok()) co_return last.status();
    if (*last) *question.mutable_last() = TimeUtil::MillisecondsToDuration(**last);
    if (auto status = FillPage(*parameters, question); !status.ok()) co_return status;
    co_return co_await AnswerFrom(store_, lists_, std::move(question), &ListApi::ListNow);
  }

  Answer Articles(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::ListArticlesRequest question;
    question.set_site(site->name);
    if (auto status = FillArticles(*parameters, question); !status.ok()) co_return status;
    // Every other time is another list to be read.
    if (question.has_time() && !IsBackend(request)) co_return ForBackends("articles around a time");
    co_return co_await AnswerFrom(store_, lists_, std::move(question), &ListApi::ListArticles);
  }

 private:
  bool IsBackend(const HttpRequest& request) const { return trust_.Find(request, request.peer).trusted_backend; }
  // Every other duration is another list to be read, so strangers may choose among few.
  bool MayChoose(const HttpRequest& request, std::optional<int64_t> duration_ms,
                 std::initializer_list<int64_t> hours) const {
    constexpr int64_t kHourMs = 3'600'000;
    if (!duration_ms || IsBackend(request)) return true;
    return *duration_ms % kHourMs == 0 && std::ranges::find(hours, *duration_ms / kHourMs) != hours.end();
  }

  ListApi& lists_;
  const ClientTrust& trust_;
  const asio::any_io_executor store_;
  const bool tls_;
};

}  // namespace

void AddListRoutes(SiteRoutes& routes, ListApi& api, const ClientTrust& trust, asio::any_io_executor store, bool tls) {
  const Lists lists(api, trust, std::move(store), tls);
  routes.Add(http::verb::get, "/popular",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.Popular(request, std::move(site));
             },
             {.json = true,
              .cached = true,
              .parameters = {"window.day", "window.allTime", "window.last", "window.start", "window.end", "section",
                             "author", "tag", "language", "publishedWithin", "withPreviousRank", "pageSize",
                             "pageToken", "exactRequired", "format"}});
  const std::vector<std::string_view> feed_parameters = {"window.day", "window.allTime",  "window.last", "window.start",
                                                         "window.end", "section",         "author",      "tag",
                                                         "language",   "publishedWithin", "pageSize",    "lang"};
  routes.Add(http::verb::get, "/popular.rss",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.PopularFeed(request, std::move(site), Lists::Feed::kRss);
             },
             {.parameters = feed_parameters});
  routes.Add(http::verb::get, "/popular.json",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.PopularFeed(request, std::move(site), Lists::Feed::kJson);
             },
             {.parameters = feed_parameters});
  routes.Add(http::verb::get, std::string(kEmbedPath),
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.PopularPage(request, std::move(site));
             },
             {.parameters = {"window.day", "window.allTime", "window.last", "section", "author", "tag", "language",
                             "publishedWithin", "limit", "lang", "theme"}});
  routes.Add(http::verb::get, "/trending",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.Trending(request, std::move(site));
             },
             {.json = true,
              .cached = true,
              .parameters = {"halfLife", "window.last", "section", "author", "tag", "language", "publishedWithin",
                             "pageSize", "pageToken"}});
  routes.Add(http::verb::get, "/rising",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.Rising(request, std::move(site));
             },
             {.json = true,
              .cached = true,
              .parameters = {"window.last", "section", "author", "tag", "language", "publishedWithin", "pageSize",
                             "pageToken"}});
  routes.Add(http::verb::get, "/now",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.Now(request, std::move(site));
             },
             {.json = true,
              .cached = true,
              .parameters = {"last", "section", "author", "tag", "language", "publishedWithin", "pageSize"}});
  routes.Add(http::verb::get, "/articles",
             [lists](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return lists.Articles(request, std::move(site));
             },
             {.json = true,
              .cached = true,
              .parameters = {"article", "address", "canonical", "time", "before", "after", "section"}});
}

}  // namespace viewcount
