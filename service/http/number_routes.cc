#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/http/asked_parameters.h"
#include "service/http/cached_response.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"
#include "service/http/query_routes.h"
#include "service/web/badge_svg.h"
#include "service/web/odometer_svg.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using Answer = awaitable<absl::StatusOr<HttpResponse>>;

// How long a caller may keep a number. Long enough to take the load of a popular page, short enough for the number to
// count as live.
constexpr char kCacheControl[] = "public, max-age=10";

// Sets `value` to the enumerator whose index is that of the parameter's value in `names`. Keeps it if the parameter is
// absent.
template <typename Enumeration, size_t kNames>
absl::Status Choose(const Parameters& parameters, const char* name, const char* const (&names)[kNames],
                    Enumeration& value) {
  const auto text = parameters.Find(name);
  if (!text) return absl::OkStatus();
  std::string all;
  for (size_t i = 0; i < kNames; ++i) {
    if (*text == names[i]) {
      value = static_cast<Enumeration>(i);
      return absl::OkStatus();
    }
    all += (i == 0 ? "" : ", ") + std::string(names[i]);
  }
  return InvalidField(name, "must be one of " + all);
}

absl::Status TakeTheme(const Parameters& parameters, Theme& theme) {
  return Choose(parameters, "theme", {"auto", "light", "dark"}, theme);
}

// Sets `text` to the text in `given`, if there is one. `text` then refers to `given`.
absl::Status TakeText(const char* name, const std::optional<std::string>& given, std::string_view& text) {
  if (!given) return absl::OkStatus();
  if (given->size() > limits::kPictureTextBytesMax) return InvalidField(name, "may have 100 bytes");
  text = *given;
  return absl::OkStatus();
}

absl::Status TakeLanguage(const Parameters& parameters, DigitGrouping& grouping) {
  const auto language = parameters.Find("lang");
  if (!language) return absl::OkStatus();
  const auto found = DigitGroupingOf(*language);
  if (!found) return InvalidField("lang", "must be a language that is known here, such as vi, en or de-CH");
  grouping = *found;
  return absl::OkStatus();
}

// The number that an odometer shows.
enum class Shown : uint8_t { kViews, kVisits };

absl::Status TakeOptions(const Parameters& parameters, OdometerOptions& options) {
  absl::Status status = Choose(parameters, "style", {"classic", "flat", "plain"}, options.style);
  status.Update(TakeTheme(parameters, options.theme));
  if (const auto digits = parameters.Find("digits"); digits && status.ok()) {
    const char* const end = digits->data() + digits->size();
    const auto [stop, error] = std::from_chars(digits->data(), end, options.digits);
    if (error != std::errc() || stop != end || options.digits < 1 || options.digits > limits::kOdometerDigitsMax)
      return InvalidField("digits", "must be a whole number from 1 to 16");
  }
  return status;
}

using Number = absl::StatusOr<uint64_t>;

// Reads the site's views or visits, as `show` says.
awaitable<Number> NumberOfSite(SiteStatsReader& stats, asio::any_io_executor store, const Parameters& parameters,
                               std::shared_ptr<const Site> site) {
  Shown shown = Shown::kViews;
  if (auto status = Choose(parameters, "show", {"views", "visits"}, shown); !status.ok()) co_return status;
  auto total = stats.ReadTotalCached(*site);
  if (!total) {
    auto read = co_await OnStore(store, stats.ReadTotal(site));
    if (!read.ok()) co_return read.status();
    total = *read;
  }
  co_return shown == Shown::kViews ? total->views : total->visits;
}

v1::GetCountsRequest QuestionOf(const Parameters& parameters, const Site& site) {
  v1::GetCountsRequest question;
  question.set_site(site.name);
  AddAsked(parameters, question);
  return question;
}

int AskedCount(const v1::GetCountsRequest& question) {
  return question.article_ids_size() + question.addresses_size() + question.canonical_addresses_size();
}

// Reads the views of the one article that the question names.
awaitable<Number> NumberOfArticle(QueryApi& queries, asio::any_io_executor store, v1::GetCountsRequest question) {
  if (AskedCount(question) != 1)
    co_return InvalidField("article", "one number is shown here: give one article, address or canonical");
  v1::GetCountsResponse response;
  auto counted = queries.GetCountsCached(question, response);
  if (!counted) counted = co_await OnStore(store, queries.GetCounts(question, response));
  if (!counted->ok()) co_return *counted;
  if (!response.counts(0).error().empty())
    co_return InvalidField(question.addresses().empty() ? "canonical" : "address", response.counts(0).error());
  co_return response.counts(0).views();
}

HttpResponse Picture(const HttpRequest& request, std::string svg) {
  HttpResponse response = CachedResponse(request, {.type = "image/svg+xml", .body = std::move(svg)}, kCacheControl);
  // Opened as a page, the picture may run no scripts and load nothing.
  response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  return response;
}

Answer Odometer(SiteStatsReader& stats, asio::any_io_executor store, const HttpRequest& request,
                std::shared_ptr<const Site> site) {
  const auto parameters = Parameters::Parse(request.target());
  if (!parameters.ok()) co_return parameters.status();
  OdometerOptions options;
  const auto title = parameters->Find("title");
  absl::Status status = TakeOptions(*parameters, options);
  status.Update(TakeText("title", title, options.title));
  status.Update(TakeLanguage(*parameters, options.grouping));
  if (!status.ok()) co_return status;
  const auto number = co_await NumberOfSite(stats, std::move(store), *parameters, std::move(site));
  if (!number.ok()) co_return number.status();
  options.value = *number;
  co_return Picture(request, OdometerSvg(options));
}

Answer Badge(QueryApi& queries, asio::any_io_executor store, const HttpRequest& request,
             std::shared_ptr<const Site> site) {
  const auto parameters = Parameters::Parse(request.target());
  if (!parameters.ok()) co_return parameters.status();
  BadgeOptions options;
  const auto label = parameters->Find("label");
  absl::Status status = TakeTheme(*parameters, options.theme);
  status.Update(TakeText("label", label, options.label));
  status.Update(TakeLanguage(*parameters, options.grouping));
  if (!status.ok()) co_return status;
  // The question has a name: g++ 12 destroys a temporary of a co_await expression twice.
  v1::GetCountsRequest question = QuestionOf(*parameters, *site);
  const auto number = co_await NumberOfArticle(queries, std::move(store), std::move(question));
  if (!number.ok()) co_return number.status();
  options.count = *number;
  co_return Picture(request, BadgeSvg(options));
}

// The number alone, for pages that a server puts together. Without an article it is the site's.
Answer Text(QueryApi& queries, SiteStatsReader& stats, asio::any_io_executor store, const HttpRequest& request,
            std::shared_ptr<const Site> site) {
  const auto parameters = Parameters::Parse(request.target());
  if (!parameters.ok()) co_return parameters.status();
  DigitGrouping grouping;
  if (auto status = TakeLanguage(*parameters, grouping); !status.ok()) co_return status;
  v1::GetCountsRequest question = QuestionOf(*parameters, *site);
  const bool of_site = AskedCount(question) == 0;
  if (!of_site && parameters->Find("show"))
    co_return InvalidField("show", "is a choice between the site's numbers: leave it out, or the article");
  Number number;
  if (of_site) {
    number = co_await NumberOfSite(stats, std::move(store), *parameters, std::move(site));
  } else {
    number = co_await NumberOfArticle(queries, std::move(store), std::move(question));
  }
  if (!number.ok()) co_return number.status();
  co_return CachedResponse(request, {.type = "text/plain; charset=utf-8", .body = Grouped(*number, grouping)},
                           kCacheControl);
}

}  // namespace

void AddNumberRoutes(SiteRoutes& routes, QueryApi& queries, SiteStatsReader& stats, asio::any_io_executor store) {
  routes.Add(http::verb::get, "/odometer.svg",
             [&stats, store](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return Odometer(stats, store, request, std::move(site));
             },
             {.parameters = {"style", "theme", "digits", "show", "title", "lang"}});
  routes.Add(http::verb::get, "/badge.svg",
             [&queries, store](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return Badge(queries, store, request, std::move(site));
             },
             {.parameters = {"article", "address", "canonical", "label", "theme", "lang"}});
  routes.Add(http::verb::get, "/count.txt",
             [&queries, &stats, store](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return Text(queries, stats, store, request, std::move(site));
             },
             {.parameters = {"article", "address", "canonical", "show", "lang"}});
}

}  // namespace viewcount
