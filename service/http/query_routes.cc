#include "service/http/query_routes.h"

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

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

class Questions {
 public:
  Questions(QueryApi& queries, asio::any_io_executor store) : queries_(queries), store_(std::move(store)) {}

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
    v1::ListPopularResponse response;
    const auto status = co_await OnStore(store_, queries_.ListPopular(question, response));
    if (!status.ok()) co_return status;
    co_return JsonResponse(response);
  }

  Answer Stats(std::shared_ptr<const Site> site) const {
    v1::GetSiteStatsRequest question;
    question.set_site(site->name);
    v1::GetSiteStatsResponse response;
    const auto status = co_await OnStore(store_, queries_.GetSiteStats(question, response));
    if (!status.ok()) co_return status;
    co_return JsonResponse(response);
  }

 private:
  Answer AnswerCounts(v1::GetCountsRequest question) const {
    v1::GetCountsResponse response;
    auto status = queries_.GetCountsCached(question, response);
    if (!status) status = co_await OnStore(store_, queries_.GetCounts(question, response));
    if (!status->ok()) co_return *status;
    co_return JsonResponse(response);
  }

  static absl::Status FillPopular(const Parameters& parameters, v1::ListPopularRequest& question) {
    if (const auto day = parameters.Find("window.day")) question.mutable_window()->set_day(*day);
    if (const auto all = parameters.Find("window.allTime")) {
      if (question.has_window()) return InvalidField("window", "is either a day or all time");
      if (*all != "true") return InvalidField("window.allTime", "must be true");
      question.mutable_window()->set_all_time(true);
    }
    question.set_section(parameters.Find("section").value_or(""));
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

  QueryApi& queries_;
  const asio::any_io_executor store_;
};

}  // namespace

void AddQueryRoutes(SiteRoutes& routes, QueryApi& queries, asio::any_io_executor store) {
  const Questions questions(queries, std::move(store));
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
              .parameters = {"window.day", "window.allTime", "section", "pageSize", "pageToken"}});
  routes.Add(
      http::verb::get, "/stats",
      [questions](const HttpRequest&, std::shared_ptr<const Site> site) { return questions.Stats(std::move(site)); },
      {.json = true, .cached = true});
}

}  // namespace viewcount
