#include "service/http/change_routes.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "service/base/status.h"
#include "service/http/api_answer.h"
#include "service/http/json.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"
#include "service/http/question_parameters.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using Answer = awaitable<absl::StatusOr<HttpResponse>>;

constexpr std::string_view kDashboard = "dashboard: ";

// Sets the author of a change to the dashboard and the name that the person gave.
absl::Status SetAuthor(const char* field, std::string& who) {
  if (who.empty()) return InvalidField(field, "must be your name");
  if (!who.starts_with(kDashboard)) who.insert(0, kDashboard);
  return absl::OkStatus();
}

// Sets the author of `request`, and requires a reason where there can be one.
template <typename Request>
absl::Status CheckAuthor(Request& request) {
  if constexpr (requires { request.mutable_provenance(); }) {
    v1::Provenance& provenance = *request.mutable_provenance();
    if (provenance.why().find_first_not_of(' ') == std::string::npos) {
      return InvalidField("provenance.why", "must be the reason of the change");
    }
    return SetAuthor("provenance.who", *provenance.mutable_who());
  } else if constexpr (requires { request.mutable_annotation(); }) {
    return SetAuthor("annotation.who", *request.mutable_annotation()->mutable_who());
  } else {
    return absl::OkStatus();
  }
}

template <typename Api, typename Request, typename Response>
void AddChange(SiteRoutes& routes, const char* path, const OwnPages& own_pages, const asio::any_io_executor& store,
               Api& api, awaitable<absl::Status> (Api::*change)(const Request&, Response&)) {
  routes.Add(http::verb::post, path,
             [&own_pages, &api, change, store](const HttpRequest& request, std::shared_ptr<const Site> site) -> Answer {
               if (auto status = own_pages.CheckChange(request); !status.ok()) co_return status;
               Request wanted;
               if (auto status = FromJson(request.body(), wanted); !status.ok()) co_return status;
               if (!wanted.site().empty() && wanted.site() != site->name) {
                 co_return InvalidField("site", "is not the one of the path");
               }
               wanted.set_site(site->name);
               if (auto status = CheckAuthor(wanted); !status.ok()) co_return status;
               co_return co_await AnswerFrom(store, api, std::move(wanted), change);
             },
             {.json = true});
}

}  // namespace

void AddChangeRoutes(SiteRoutes& routes, const OwnPages& own_pages, Adjuster& adjuster, Annotations& annotations,
                     asio::any_io_executor store) {
  routes.Add(http::verb::get, "/adjustments",
             [&adjuster, store](const HttpRequest& request, std::shared_ptr<const Site> site) -> Answer {
               const auto parameters = Parameters::Parse(request.target());
               if (!parameters.ok()) co_return parameters.status();
               v1::ListAdjustmentsRequest question;
               question.set_site(site->name);
               const auto size = NumberOf(*parameters, "pageSize");
               if (!size.ok()) co_return size.status();
               question.set_page_size(size->value_or(0));
               question.set_page_token(parameters->Find("pageToken").value_or(""));
               co_return co_await AnswerFrom(store, adjuster, std::move(question), &Adjuster::List);
             },
             {.json = true, .parameters = {"pageSize", "pageToken"}});
  routes.Add(http::verb::get, "/annotations",
             [&annotations, store](const HttpRequest&, std::shared_ptr<const Site> site) -> Answer {
               v1::ListAnnotationsRequest question;
               question.set_site(site->name);
               co_return co_await AnswerFrom(store, annotations, std::move(question), &Annotations::List);
             },
             {.json = true});
  AddChange(routes, "/counts:set", own_pages, store, adjuster, &Adjuster::Set);
  AddChange(routes, "/articles:merge", own_pages, store, adjuster, &Adjuster::Merge);
  AddChange(routes, "/articles:delete", own_pages, store, adjuster, &Adjuster::Delete);
  AddChange(routes, "/adjustments:undo", own_pages, store, adjuster, &Adjuster::Undo);
  AddChange(routes, "/annotations:put", own_pages, store, annotations, &Annotations::Put);
  AddChange(routes, "/annotations:delete", own_pages, store, annotations, &Annotations::Delete);
}

}  // namespace viewcount
