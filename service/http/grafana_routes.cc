#include "service/http/grafana_routes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <google/protobuf/util/time_util.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/log.h"
#include "service/base/status.h"
#include "service/http/grafana_limits.h"
#include "service/http/grafana_request.h"
#include "service/http/on_store.h"
#include "service/http/parameters.h"
#include "service/http/problem.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;
using google::protobuf::Struct;
using google::protobuf::util::TimeUtil;
// An answer, and whether all of its lists are exact.
struct GrafanaJson {
  std::string json;
  bool exact = true;
};
using JsonAnswer = awaitable<absl::StatusOr<GrafanaJson>>;

constexpr std::string_view kGrafana = "/v1/grafana";
constexpr char kEmptyList[] = "[]";

HttpResponse GrafanaAnswer(GrafanaJson answer) {
  HttpResponse response;
  response.set(http::field::content_type, "application/json");
  response.set(http::field::cache_control, "no-store");
  response.set("Viewcount-Exact", answer.exact ? "true" : "false");
  response.body() = std::move(answer.json) + "\n";
  return response;
}

void SetRange(const TimeSpan& span, v1::Window& window) {
  *window.mutable_range()->mutable_start() = TimeUtil::MillisecondsToTimestamp(span.start_unix_ms);
  *window.mutable_range()->mutable_end() = TimeUtil::MillisecondsToTimestamp(span.end_unix_ms);
}

class GrafanaHandlers {
 public:
  explicit GrafanaHandlers(const ReaderParts& parts) : parts_(parts) {}

  JsonAnswer Query(Struct body) const {
    const auto query = ReadGrafanaQuery(body);
    if (!query.ok()) co_return query.status();
    std::vector<std::string> results;
    bool exact = true;
    for (const GrafanaTarget& target : query->targets) {
      absl::StatusOr<GrafanaJson> result = absl::UnknownError("");
      if (target.top) {
        result = co_await Top(*query, target);
      } else {
        result = co_await Series(*query, target);
      }
      if (!result.ok()) co_return result.status();
      exact &= result->exact;
      results.push_back(std::move(result->json));
    }
    co_return GrafanaJson{fmt::format("[{}]", fmt::join(results, ",")), exact};
  }

  // Returns the targets of SimpleJson, as texts.
  JsonAnswer Search(Struct) const {
    std::vector<std::string> targets;
    for (const std::string& name : Sites()) {
      targets.push_back(fmt::format(R"("views {}")", name));
      targets.push_back(fmt::format(R"("top {}")", name));
    }
    co_return GrafanaJson{fmt::format("[{}]", fmt::join(targets, ","))};
  }

  // Returns the kinds of targets of JSON, with the fields of the query builder.
  JsonAnswer Metrics(Struct) const {
    const std::string site = fmt::format(R"({{"name":"site","label":"Site","type":"select","options":{}}})", Options());
    std::string kinds =
        fmt::format(R"([{{"value":"views","label":"Views","payloads":[{0},)"
                    R"({{"name":"article","label":"Article","type":"input","placeholder":"empty for the whole site"}},)"
                    R"({{"name":"step","label":"Step","type":"select","options":[{1}]}}]}},)"
                    R"({{"value":"top","label":"Most viewed articles","payloads":[{0},)"
                    R"({{"name":"limit","label":"Articles","type":"input","placeholder":"{2}"}}]}}])",
                    site,
                    R"({"label":"auto","value":"auto"},{"label":"hour","value":"hour"},{"label":"day","value":"day"},)"
                    R"({"label":"week","value":"week"},{"label":"month","value":"month"})",
                    kGrafanaTopDefault);
    co_return GrafanaJson{std::move(kinds)};
  }

  JsonAnswer PayloadOptions(Struct body) const {
    std::string options = GrafanaText(body, "name") == "site" ? Options() : kEmptyList;
    co_return GrafanaJson{std::move(options)};
  }

  // Returns the sites as values of a variable.
  JsonAnswer Variable(Struct) const {
    std::vector<std::string> values;
    for (const std::string& name : Sites()) {
      values.push_back(fmt::format(R"({{"__text":"{0}","__value":"{0}"}})", name));
    }
    co_return GrafanaJson{fmt::format("[{}]", fmt::join(values, ","))};
  }

  JsonAnswer Nothing(Struct) const { co_return GrafanaJson{kEmptyList}; }

 private:
  // Returns the names of the first sites. They have no character that JSON would have to escape.
  std::vector<std::string> Sites() const {
    std::vector<std::string> names;
    for (const auto& site : parts_.sites.All()) {
      if (names.size() == kGrafanaSitesMax) break;
      names.push_back(site->name);
    }
    return names;
  }
  std::string Options() const {
    std::vector<std::string> options;
    for (const std::string& name : Sites()) options.push_back(fmt::format(R"({{"label":"{0}","value":"{0}"}})", name));
    return fmt::format("[{}]", fmt::join(options, ","));
  }

  JsonAnswer Series(const GrafanaQuery& query, const GrafanaTarget& target) const {
    const auto site = parts_.sites.Find(target.site);
    if (site == nullptr) co_return parts_.sites.Unknown(target.site);
    const GrafanaSpan planned =
        GrafanaSeriesSpan(query.range, query.points_max, target.step, *site, parts_.clock.UnixMillis());
    std::vector<std::string> points;
    if (planned.span.start_unix_ms < planned.span.end_unix_ms) {
      v1::GetSeriesRequest question;
      question.set_site(target.site);
      question.set_article_id(target.article);
      question.set_step(planned.step);
      SetRange(planned.span, *question.mutable_window());
      v1::GetSeriesResponse series;
      const auto status = co_await OnStore(parts_.store, parts_.queries.GetSeries(question, series));
      if (!status.ok()) co_return status;
      for (const auto& point : series.points()) {
        points.push_back(fmt::format("[{},{}]", point.views(), TimeUtil::TimestampToMilliseconds(point.start())));
      }
    }
    // Grafana shows it as the name of the line. Targets of the query builder are all called `views`.
    std::string name = target.text;
    if (name == "views") name = target.article.empty() ? target.site : target.article;
    co_return GrafanaJson{
        fmt::format(R"({{"target":"{}","datapoints":[{}]}})", EscapeForJson(name), fmt::join(points, ","))};
  }

  JsonAnswer Top(const GrafanaQuery& query, const GrafanaTarget& target) const {
    const auto site = parts_.sites.Find(target.site);
    if (site == nullptr) co_return parts_.sites.Unknown(target.site);
    const TimeSpan span = GrafanaTopSpan(query.range, *site, parts_.clock.UnixMillis());
    std::vector<std::string> rows;
    bool exact = true;
    if (span.start_unix_ms < span.end_unix_ms) {
      v1::ListPopularRequest question;
      question.set_site(target.site);
      question.set_page_size(target.limit);
      SetRange(span, *question.mutable_window());
      v1::ListPopularResponse list;
      const auto status = co_await OnStore(parts_.store, parts_.lists.ListPopular(question, list));
      if (!status.ok()) co_return status;
      exact = list.exact();
      for (const auto& article : list.articles()) {
        rows.push_back(fmt::format(R"([{},"{}","{}",{}])", article.rank(), EscapeForJson(article.article_id()),
                                   EscapeForJson(article.title()), article.views()));
      }
    }
    std::string table = fmt::format(R"({{"type":"table","columns":[{{"text":"{}","type":"number"}},)"
                                    R"({{"text":"Article","type":"string"}},{{"text":"Title","type":"string"}},)"
                                    R"({{"text":"Views","type":"number"}}],"rows":[{}]}})",
                                    exact ? "Rank" : "Rank (articles may be missing)", fmt::join(rows, ","));
    co_return GrafanaJson{std::move(table), exact};
  }

  const ReaderParts parts_;
};

using GrafanaMember = JsonAnswer (GrafanaHandlers::*)(Struct) const;

// Refuses senders that may not ask, and parameters.
absl::Status CheckGrafana(const HttpRequest& request, const ReaderParts& parts) {
  if (auto status = CheckReader(request, parts, "Grafana's numbers"); !status.ok()) return status;
  return CheckParameters(request.target(), {});
}

void AddGrafanaPost(HttpRouter& router, const ReaderParts& parts, std::string_view name, GrafanaMember member) {
  router.Add(http::verb::post, fmt::format("{}{}", kGrafana, name),
             [parts, member, handlers = GrafanaHandlers(parts)](const HttpRequest& request) -> awaitable<HttpResponse> {
               if (auto status = CheckGrafana(request, parts); !status.ok()) co_return Problem(status);
               auto body = ParseGrafanaBody(request.body());
               if (!body.ok()) co_return Problem(body.status());
               absl::StatusOr<GrafanaJson> answer = absl::UnknownError("");
               if (member == &GrafanaHandlers::Query) {
                 const auto turn = co_await parts.turns->Take();
                 if (!turn.ok()) co_return Problem(turn.status());
                 answer = co_await (handlers.*member)(*std::move(body));
               } else {
                 answer = co_await (handlers.*member)(*std::move(body));
               }
               if (!answer.ok()) co_return Problem(answer.status());
               co_return GrafanaAnswer(*std::move(answer));
             });
}

}  // namespace

void AddGrafanaRoutes(HttpRouter& router, const ReaderParts& parts) {
  // SimpleJson adds a slash to the address that it was given.
  for (const char* slash : {"", "/"}) {
    router.Add(http::verb::get, fmt::format("{}{}", kGrafana, slash),
               [parts](const HttpRequest& request) -> awaitable<HttpResponse> {
                 if (auto status = CheckGrafana(request, parts); !status.ok()) co_return Problem(status);
                 co_return GrafanaAnswer({R"({"status":"ok"})"});
               });
  }
  AddGrafanaPost(router, parts, "/query", &GrafanaHandlers::Query);
  AddGrafanaPost(router, parts, "/search", &GrafanaHandlers::Search);
  AddGrafanaPost(router, parts, "/metrics", &GrafanaHandlers::Metrics);
  AddGrafanaPost(router, parts, "/metric-payload-options", &GrafanaHandlers::PayloadOptions);
  AddGrafanaPost(router, parts, "/variable", &GrafanaHandlers::Variable);
  for (const char* name : {"/annotations", "/tag-keys", "/tag-values"}) {
    AddGrafanaPost(router, parts, name, &GrafanaHandlers::Nothing);
  }
}

}  // namespace viewcount
