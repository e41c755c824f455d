#include "service/http/query_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/status.h"
#include "service/http/api_answer.h"
#include "service/http/asked_parameters.h"
#include "service/http/csv_answer.h"
#include "service/http/json.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"
#include "service/http/question_parameters.h"
#include "service/query/csv_tables.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using Answer = awaitable<absl::StatusOr<HttpResponse>>;

constexpr std::array<std::pair<std::string_view, v1::SeriesStep>, 4> kSteps = {{{"hour", v1::SERIES_STEP_HOUR},
                                                                                {"day", v1::SERIES_STEP_DAY},
                                                                                {"week", v1::SERIES_STEP_WEEK},
                                                                                {"month", v1::SERIES_STEP_MONTH}}};

// Returns whether a public dashboard asks for the series. Every other window is other counts to be read, so strangers
// may choose among few.
bool IsOfPublicDashboard(const v1::GetSeriesRequest& question) {
  // A label's series adds up many articles.
  const bool is_of_label = !question.section().empty() || !question.author().empty() || !question.tag().empty();
  if (is_of_label || question.with_before() || question.with_year_before()) return false;
  if (!question.window().has_last() || question.window().last().seconds() % 3'600 != 0) return false;
  const int64_t hours = question.window().last().seconds() / 3'600;
  if (question.step() == v1::SERIES_STEP_HOUR) return hours == 24 || hours == 96;
  return question.step() == v1::SERIES_STEP_DAY && (hours == 720 || hours == 1'440);
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

  Answer Series(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    const bool is_stranger = !trust_.Find(request, request.peer).trusted_backend;
    if (is_stranger && !site->settings.public_reads) co_return ForBackends("series");
    const auto parameters = Parameters::Parse(request.target());
    if (!parameters.ok()) co_return parameters.status();
    v1::GetSeriesRequest question;
    question.set_site(site->name);
    if (auto status = FillSeries(*parameters, question); !status.ok()) co_return status;
    if (is_stranger && !IsOfPublicDashboard(question)) {
      co_return ForBackends("series but those by hour for window.last 24h or 96h, and by day for 30d or 60d");
    }
    const auto csv = AsksForCsv(*parameters);
    if (!csv.ok()) co_return csv.status();
    if (*csv) {
      v1::GetSeriesResponse series;
      const auto status = co_await OnStore(store_, queries_.GetSeries(question, series));
      if (!status.ok()) co_return status;
      co_return CsvResponse(SeriesCsv(series, *site));
    }
    co_return co_await AnswerFrom(store_, queries_, std::move(question), &QueryApi::GetSeries);
  }

  Answer Stats(std::shared_ptr<const Site> site) const {
    v1::GetSiteStatsRequest question;
    question.set_site(site->name);
    co_return co_await AnswerFrom(store_, queries_, std::move(question), &QueryApi::GetSiteStats);
  }

 private:
  Answer AnswerCounts(v1::GetCountsRequest question) const {
    v1::GetCountsResponse response;
    auto status = queries_.GetCountsCached(question, response);
    if (!status) status = co_await OnStore(store_, queries_.GetCounts(question, response));
    if (!status->ok()) co_return *status;
    co_return JsonResponse(response);
  }

  static absl::Status FillSeries(const Parameters& parameters, v1::GetSeriesRequest& question) {
    for (const char* name : {"article", "address", "canonical", "section", "author", "tag"}) {
      const auto values = parameters.All(name);
      if (values.empty() || (values.size() == 1 && !values[0].empty())) continue;
      return InvalidField(name, "must be given once and not be empty; without it the series is the whole site's");
    }
    question.set_article_id(parameters.Find("article").value_or(""));
    question.set_address(parameters.Find("address").value_or(""));
    question.set_canonical_address(parameters.Find("canonical").value_or(""));
    question.set_section(parameters.Find("section").value_or(""));
    question.set_author(parameters.Find("author").value_or(""));
    question.set_tag(parameters.Find("tag").value_or(""));
    for (const std::string& compared : parameters.All("compare")) {
      if (compared != "before" && compared != "year") return InvalidField("compare", "must be before or year");
      compared == "before" ? question.set_with_before(true) : question.set_with_year_before(true);
    }
    if (auto status = FillSpan(parameters, *question.mutable_window()); !status.ok()) return status;
    const std::string step = parameters.Find("step").value_or("day");
    const auto known = std::ranges::find(kSteps, step, &std::pair<std::string_view, v1::SeriesStep>::first);
    if (known == kSteps.end()) return InvalidField("step", "must be hour, day, week or month");
    question.set_step(known->second);
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
  routes.Add(http::verb::get, "/series",
             [questions](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return questions.Series(request, std::move(site));
             },
             {.json = true,
              .parameters = {"article", "address", "canonical", "section", "author", "tag", "compare", "window.last",
                             "window.day", "window.start", "window.end", "step", "format"}});
  routes.Add(
      http::verb::get, "/stats",
      [questions](const HttpRequest&, std::shared_ptr<const Site> site) { return questions.Stats(std::move(site)); },
      {.json = true, .cached = true});
}

}  // namespace viewcount
