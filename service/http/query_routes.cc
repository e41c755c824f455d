#include "service/http/query_routes.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/duration.h"
#include "service/base/status.h"
#include "service/http/asked_parameters.h"
#include "service/http/json.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using Answer = awaitable<absl::StatusOr<HttpResponse>>;
using google::protobuf::util::TimeUtil;

constexpr std::array<std::pair<std::string_view, v1::SeriesStep>, 4> kSteps = {{{"hour", v1::SERIES_STEP_HOUR},
                                                                                {"day", v1::SERIES_STEP_DAY},
                                                                                {"week", v1::SERIES_STEP_WEEK},
                                                                                {"month", v1::SERIES_STEP_MONTH}}};

// Returns whether a parameter is `true`; false if it is absent.
absl::StatusOr<bool> SwitchOf(const Parameters& parameters, const char* name) {
  const std::string value = parameters.Find(name).value_or("false");
  if (value == "true" || value == "false") return value == "true";
  return InvalidField(name, "must be true or false");
}

absl::Status ForBackends(std::string_view what) {
  return absl::PermissionDeniedError(
      fmt::format("only the portal's own servers may ask for {}; they ask at the address for backends "
                  "(--backend-address of viewcountd)",
                  what));
}

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

class Questions {
 public:
  Questions(QueryApi& queries, const ClientTrust& trust, asio::any_io_executor store)
      : queries_(queries), trust_(trust), store_(std::move(store)) {}

  Answer Counts(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::GetCountsRequest question;
    question.set_site(site->name);
    AddAsked(*parameters, question);
    co_return co_await AnswerCounts(std::move(question));
  }

  Answer BatchCounts(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    v1::GetCountsRequest question;
    if (auto status = FromJson(request.body(), question); !status.ok()) co_return status;
    if (!question.site().empty() && question.site() != site->name)
      co_return InvalidField("site", "is not the one of the path");
    question.set_site(site->name);
    co_return co_await AnswerCounts(std::move(question));
  }

  Answer Popular(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::ListPopularRequest question;
    question.set_site(site->name);
    if (auto status = FillPopular(*parameters, question); !status.ok()) co_return status;
    if (IsCostly(question) && !trust_.Find(request, request.peer).trusted_backend) {
      co_return ForBackends(
          "exactRequired, for a range, or for a window.last other than 1h, 3h, 6h, 12h, 24h, 48h, 7d, 14d and 30d");
    }
    co_return co_await AnswerFrom(std::move(question), &QueryApi::ListPopular);
  }

  Answer Series(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    if (!trust_.Find(request, request.peer).trusted_backend) {
      co_return ForBackends("series");
    }
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::GetSeriesRequest question;
    question.set_site(site->name);
    if (auto status = FillSeries(*parameters, question); !status.ok()) co_return status;
    co_return co_await AnswerFrom(std::move(question), &QueryApi::GetSeries);
  }

  Answer Stats(std::shared_ptr<const Site> site) const {
    v1::GetSiteStatsRequest question;
    question.set_site(site->name);
    co_return co_await AnswerFrom(std::move(question), &QueryApi::GetSiteStats);
  }

 private:
  template <typename Request, typename Response>
  Answer AnswerFrom(Request question, awaitable<absl::Status> (QueryApi::*ask)(const Request&, Response&)) const {
    Response response;
    const auto status = co_await OnStore(store_, (queries_.*ask)(question, response));
    if (!status.ok()) co_return status;
    co_return JsonResponse(response);
  }

  Answer AnswerCounts(v1::GetCountsRequest question) const {
    v1::GetCountsResponse response;
    auto status = queries_.GetCountsCached(question, response);
    if (!status) status = co_await OnStore(store_, queries_.GetCounts(question, response));
    if (!status->ok()) co_return *status;
    co_return JsonResponse(response);
  }

  static absl::Status FillPopular(const Parameters& parameters, v1::ListPopularRequest& question) {
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
    for (const char* name : {"section", "author", "tag", "language"}) {
      // An empty one would restrict nothing, which its sender hardly means.
      if (parameters.Find(name) == "") return InvalidField(name, "must not be empty; leave it out to restrict nothing");
    }
    question.set_section(parameters.Find("section").value_or(""));
    question.set_author(parameters.Find("author").value_or(""));
    question.set_tag(parameters.Find("tag").value_or(""));
    question.set_language(parameters.Find("language").value_or(""));
    if (const auto within = parameters.Find("publishedWithin")) {
      const auto duration = ParseDuration(*within);
      if (!duration) return InvalidField("publishedWithin", "must be a duration such as 24h or 30d");
      *question.mutable_published_within() = TimeUtil::MillisecondsToDuration(duration->count());
    }
    question.set_page_token(parameters.Find("pageToken").value_or(""));
    if (const auto size = parameters.Find("pageSize")) {
      uint32_t number = 0;
      const char* const end = size->data() + size->size();
      const auto [stop, error] = std::from_chars(size->data(), end, number);
      if (error != std::errc() || stop != end) return InvalidField("pageSize", "must be a whole number");
      question.set_page_size(number);
    }
    return absl::OkStatus();
  }

  static absl::Status FillSeries(const Parameters& parameters, v1::GetSeriesRequest& question) {
    for (const char* name : {"article", "address", "canonical"}) {
      const auto values = parameters.All(name);
      if (values.empty() || (values.size() == 1 && !values[0].empty())) continue;
      return InvalidField(name, "must be given once and not be empty; without it the series is the whole site's");
    }
    question.set_article_id(parameters.Find("article").value_or(""));
    question.set_address(parameters.Find("address").value_or(""));
    question.set_canonical_address(parameters.Find("canonical").value_or(""));
    if (auto status = FillSpan(parameters, *question.mutable_window()); !status.ok()) return status;
    const std::string step = parameters.Find("step").value_or("day");
    const auto known = std::ranges::find(kSteps, step, &std::pair<std::string_view, v1::SeriesStep>::first);
    if (known == kSteps.end()) return InvalidField("step", "must be hour, day, week or month");
    question.set_step(known->second);
    return absl::OkStatus();
  }

  static absl::Status FillSpan(const Parameters& parameters, v1::Window& window) {
    const auto last = parameters.Find("window.last"), day = parameters.Find("window.day");
    const auto start = parameters.Find("window.start"), end = parameters.Find("window.end");
    if ((last ? 1 : 0) + (day ? 1 : 0) + (start || end ? 1 : 0) != 1) {
      return InvalidField("window", "is window.last, window.day, or window.start with window.end");
    }
    if (day) window.set_day(*day);
    if (last) {
      const auto duration = ParseDuration(*last);
      if (!duration) return InvalidField("window.last", "must be a duration such as 24h or 30d");
      *window.mutable_last() = TimeUtil::MillisecondsToDuration(duration->count());
    }
    if (start || end) {
      const auto fill = [](const char* name, const std::optional<std::string>& text,
                           google::protobuf::Timestamp* time) {
        if (text && TimeUtil::FromString(*text, time)) return absl::OkStatus();
        return InvalidField(name, "must be a time such as 2026-11-30T00:00:00Z or 2026-11-30T00:00:00%2B07:00");
      };
      if (auto status = fill("window.start", start, window.mutable_range()->mutable_start()); !status.ok())
        return status;
      return fill("window.end", end, window.mutable_range()->mutable_end());
    }
    return absl::OkStatus();
  }

  QueryApi& queries_;
  const ClientTrust& trust_;
  const asio::any_io_executor store_;
};

}  // namespace

void AddQueryRoutes(SiteRoutes& routes, QueryApi& queries, const ClientTrust& trust, asio::any_io_executor store) {
  const Questions questions(queries, trust, std::move(store));
  routes.Add(http::verb::get, "/counts",
             [questions](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return questions.Counts(request, std::move(site));
             },
             {.json = true, .cached = true, .parameters = {"article", "address", "canonical"}});
  routes.Add(http::verb::post, "/counts:batchGet",
             [questions](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return questions.BatchCounts(request, std::move(site));
             },
             {.json = true});
  routes.Add(http::verb::get, "/popular",
             [questions](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return questions.Popular(request, std::move(site));
             },
             {.json = true,
              .cached = true,
              .parameters = {"window.day", "window.allTime", "window.last", "window.start", "window.end", "section",
                             "author", "tag", "language", "publishedWithin", "withPreviousRank", "pageSize",
                             "pageToken", "exactRequired"}});
  routes.Add(http::verb::get, "/series",
             [questions](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return questions.Series(request, std::move(site));
             },
             {.json = true,
              .parameters = {"article", "address", "canonical", "window.last", "window.day", "window.start",
                             "window.end", "step"}});
  routes.Add(
      http::verb::get, "/stats",
      [questions](const HttpRequest&, std::shared_ptr<const Site> site) { return questions.Stats(std::move(site)); },
      {.json = true, .cached = true});
}

}  // namespace viewcount
