#include "service/http/view_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/limits.h"
#include "service/base/log.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/http/asked_parameters.h"
#include "service/http/awaited_batch.h"
#include "service/http/json.h"
#include "service/http/json_form.h"
#include "service/http/live_json.h"
#include "service/http/page_origin.h"
#include "service/http/parameters.h"
#include "service/http/views_answer.h"
#include "service/ingest/article_naming.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;

// A transparent picture of one pixel: header, screen of 1 × 1 with two colours, transparency, one coded point, trailer
// (GIF89a specification, CompuServe 1990).
constexpr std::string_view kPixel{
    "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xFF\xFF\xFF"
    "\x21\xF9\x04\x01\x00\x00\x00\x00"
    "\x2C\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3B",
    43};

// Parses a single view or a batch of views.
absl::Status ParseViews(std::string_view json, v1::RecordViewsRequest& request) {
  if (FromJson(json, *request.add_views()).ok()) return absl::OkStatus();
  request.Clear();
  const bool batch = json.find("\"views\"") != std::string_view::npos;
  if (batch) return FromJson(json, request);
  v1::View view;
  return FromJson(json, view);
}

// Returns the name of a field that only trusted backends may send, or null if the request has none.
const char* BackendField(const v1::RecordViewsRequest& request) {
  if (!request.writer_id().empty()) return "writerId";
  if (request.sequence() != 0 || request.sequence_span() != 0) return "sequence";
  if (!request.takeovers().empty()) return "takeovers";
  if (request.durability() != v1::DURABILITY_UNSPECIFIED) return "durability";
  if (request.import()) return "import";
  for (const v1::View& view : request.views()) {
    if (view.count() != 0) return "count";
    if (view.viewer() != 0) return "viewer";
    if (view.event_time_unix_ms() != 0) return "eventTimeUnixMs";
  }
  return nullptr;
}

absl::Status CheckBrowser(const v1::RecordViewsRequest& request, const Client& client, const Site& site) {
  if (const char* field = BackendField(request); field != nullptr) {
    return absl::PermissionDeniedError(
        fmt::format("{}: only trusted backends may send it, and {} is none; the portal's servers send it to "
                    "--backend-address of viewcountd, without Origin and X-Forwarded-For",
                    field, client.address.to_string()));
  }
  if (static_cast<size_t>(request.views_size()) > limits::kBrowserViewsMax) {
    return absl::PermissionDeniedError(
        fmt::format("views: at most {} at once, except from trusted backends", limits::kBrowserViewsMax));
  }
  std::set<std::string_view> articles;
  for (const v1::View& view : request.views()) {
    if (articles.insert(site.Resolve(view.article_id())).second) continue;
    return absl::PermissionDeniedError(fmt::format(
        "views: {} occurs twice; a browser's request counts one view of an article, except from trusted backends",
        EscapeForText(view.article_id())));
  }
  return absl::OkStatus();
}

absl::Status CheckOrigin(const HttpRequest& request, const Site& site) {
  const std::string_view origin = PageOrigin(request[http::field::origin], request[http::field::referer]);
  if (origin.empty() || site.Allows(origin)) return absl::OkStatus();
  // A stranger need not know which origins are allowed.
  return absl::PermissionDeniedError(fmt::format(
      "site {0} does not take views from pages of {1}; if they are the site's, add them to the origins that `viewcount "
      "site list` shows: viewcount site put {0} --origin …",
      site.name, EscapeForText(origin)));
}

// Sets viewer and bot of the views, except for views in which a trusted backend has set them itself. Returns the value
// for Batch::previous_viewer.
uint64_t SetVisitor(const Visitor& visitor, const Client& client, v1::RecordViewsRequest& request) {
  uint64_t previous_viewer = visitor.previous_viewer;
  for (v1::View& view : *request.mutable_views()) {
    if (client.trusted_backend && (view.viewer() != 0 || view.bot())) {
      // The batch has views of more than one viewer.
      previous_viewer = 0;
      continue;
    }
    view.set_viewer(visitor.viewer);
    if (visitor.bot) view.set_bot(true);
  }
  return previous_viewer;
}

// The query of a POST of views.
struct ViewsQuery {
  // The number that the page keeps for one visit, or an empty text.
  std::string session = {};
  // The question whose counts are added to the answer.
  std::optional<v1::WatchCountsRequest> shown = {};
};

// Returns INVALID_ARGUMENT for a question that no stream of counts would take. It is refused before the views are
// counted, because afterwards an error would say that they are not.
absl::StatusOr<ViewsQuery> QueryOf(const HttpRequest& request) {
  ViewsQuery query;
  // A fast way for requests without a query.
  if (request.target().find('?') == std::string_view::npos) return query;
  const auto parameters = Parameters::Parse(request.target());
  if (!parameters.ok()) return parameters.status();
  query.session = parameters->Find("session").value_or("");
  v1::WatchCountsRequest question;
  AddAsked(*parameters, question);
  const int asked = question.article_ids_size() + question.addresses_size() + question.canonical_addresses_size();
  if (asked > static_cast<int>(limits::kWatchArticlesMax)) {
    return InvalidField("article",
                        fmt::format("must be at most {} articles, not {}", limits::kWatchArticlesMax, asked));
  }
  for (int i = 0; i < question.article_ids_size(); ++i) {
    if (!IsArticleId(question.article_ids(i))) return InvalidField(fmt::format("article[{}]", i), kArticleIdRule);
  }
  if (asked > 0 || parameters->Find("site")) query.shown = std::move(question);
  return query;
}

HttpResponse Picture() {
  HttpResponse response;
  response.set(http::field::content_type, "image/gif");
  response.set(http::field::cache_control, "no-store");
  response.body() = kPixel;
  return response;
}

// Checks requests with views, and has the views counted. Used on the server's thread only.
class ViewHandlers {
 public:
  ViewHandlers(Ingestor& ingestor, const ClientTrust& trust, VisitorFinder& visitors, BrowserAdmission& admission,
               FirstCounts counts, PageAnnouncements* pages)
      : ingestor_(ingestor),
        trust_(trust),
        visitors_(visitors),
        admission_(admission),
        counts_(std::move(counts)),
        pages_(pages) {}

  awaitable<absl::StatusOr<HttpResponse>> Post(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    if (auto status = CheckOrigin(request, *site); !status.ok())
      co_return Refuse(RejectReason::kForeignOrigin, 1, status);
    v1::RecordViewsRequest views;
    if (auto status = ParseViews(request.body(), views); !status.ok())
      co_return Refuse(RejectReason::kInvalid, 1, status);
    if (!views.site().empty() && views.site() != site->name)
      co_return Refuse(RejectReason::kInvalid, views.views_size(), InvalidField("site", "is not the one of the path"));
    const auto query = QueryOf(request);
    if (!query.ok()) co_return Refuse(RejectReason::kInvalid, views.views_size(), query.status());
    const auto hint = Name(*site, views);
    if (!hint.ok()) co_return Refuse(RejectReason::kInvalid, views.views_size(), hint.status());
    const Client client = trust_.Find(request, request.peer);
    if (!client.trusted_backend) {
      if (auto status = CheckBrowser(views, client, *site); !status.ok())
        co_return Refuse(RejectReason::kNotTrusted, views.views_size(), status);
    }
    const absl::StatusOr<IngestResult> counted = co_await Count(request, client, site, query->session, views);
    if (!counted.ok()) co_return counted.status();
    HttpResponse answer = ViewsAnswer(*counted, *hint);
    if (!client.trusted_backend) co_await AskToDescribe(site, views, answer);
    if (query->shown) co_await Show(*query->shown, std::move(site), answer);
    co_return answer;
  }

  awaitable<absl::StatusOr<HttpResponse>> Pixel(const HttpRequest& request, std::shared_ptr<const Site> site) const {
    // HEAD requests arrive here, too. Only a request that gets the picture is a view.
    if (request.method() == http::verb::get) {
      if (auto status = CheckOrigin(request, *site); !status.ok())
        co_return Refuse(RejectReason::kForeignOrigin, 1, status);
      const auto parameters = Parameters::Parse(request.target());
      if (!parameters.ok()) co_return Refuse(RejectReason::kInvalid, 1, parameters.status());
      const Client client = trust_.Find(request, request.peer);
      const std::string session = parameters->Find("session").value_or("");
      v1::RecordViewsRequest views;
      v1::View& view = *views.add_views();
      view.set_article_id(parameters->Find("article").value_or(""));
      view.set_address(parameters->Find("address").value_or(""));
      view.set_canonical_address(parameters->Find("canonical").value_or(""));
      if (const auto hint = Name(*site, views); !hint.ok()) co_return Refuse(RejectReason::kInvalid, 1, hint.status());
      const absl::StatusOr<IngestResult> counted = co_await Count(request, client, site, session, views);
      if (!counted.ok()) co_return counted.status();
    }
    co_return Picture();
  }

  size_t BodyBytesMax(const HttpFields& fields, const asio::ip::address& peer) const {
    return trust_.IsBackend(fields, peer) ? limits::kRequestBytesMax : limits::kHttpBodyBytesMax;
  }

  absl::Status Refuse(RejectReason reason, int views, const absl::Status& status) const {
    ingestor_.Refuse(reason, static_cast<uint64_t>(std::max(views, 0)));
    return status;
  }

 private:
  // Replaces addresses by article IDs, and leaves out views of excluded paths. Returns RecordViewsResponse.hint.
  absl::StatusOr<std::string> Name(const Site& site, v1::RecordViewsRequest& views) const {
    const auto named = NameArticles(site, views);
    if (!named.ok()) return named.status();
    if (named->excluded_views > 0) ingestor_.Refuse(RejectReason::kExcludedPath, named->excluded_views);
    if (named->shortened_article_id.empty()) return "";
    return site.rule.DroppedHint(site.name, named->shortened_article_id);
  }

  // Adds to the answer what the first message of /live with this question would have. The views are counted already, so
  // counts that cannot be read leave the answer as it is.
  awaitable<void> Show(const v1::WatchCountsRequest& question, std::shared_ptr<const Site> site,
                       HttpResponse& answer) const {
    const auto counts = co_await counts_(std::move(site), question);
    if (!counts) co_return;
    // Both are JSON objects, which become one.
    answer.body().resize(answer.body().rfind('}'));
    std::string json;
    AppendJson(*counts, json);
    answer.body().append(",").append(json, 1).append("\n");
  }

  // Adds to the answer of a page's view that the page should announce itself.
  awaitable<void> AskToDescribe(const std::shared_ptr<const Site>& site, const v1::RecordViewsRequest& views,
                                HttpResponse& answer) const {
    if (pages_ == nullptr || views.views_size() != 1 || views.views(0).bot()) co_return;
    std::string id(site->Resolve(views.views(0).article_id()));
    const bool wanted = co_await pages_->IsWanted(site, std::move(id));
    if (!wanted) co_return;
    answer.body().resize(answer.body().rfind('}'));
    answer.body().append(",\"describe\":true}\n");
  }

  // Has the views of one request counted, and waits until they are as durable as they request. Sets their site and
  // visitor. Views that must not count, such as those of a prefetch, get an answer as if they had been counted. Returns
  // the reason if the views are refused. All arguments must live until the end.
  awaitable<absl::StatusOr<IngestResult>> Count(const HttpRequest& request, const Client& client,
                                                const std::shared_ptr<const Site>& site, const std::string& session,
                                                v1::RecordViewsRequest& views) const {
    if (const auto status = CheckSession(*site, session); !status.ok()) {
      co_return Refuse(RejectReason::kNotTrusted, views.views_size(), status);
    }
    const IngestResult nothing{.durability = Durability::kJournaled};
    // All paths were excluded. An empty batch would cost a write to the journal.
    if (views.views().empty() && views.writer_id().empty()) co_return nothing;
    const Visitor visitor = visitors_.Find(request, client, *site, session);
    // With a writer ID, skipping the batch would leave a gap in the writer's sequence.
    if (visitor.rejected && views.writer_id().empty()) {
      ingestor_.Refuse(*visitor.rejected, static_cast<uint64_t>(views.views_size()));
      co_return nothing;
    }
    const std::optional<Refusal> refused = co_await admission_.Admit(client, site, views);
    if (refused) co_return Refuse(refused->reason, views.views_size(), refused->status);
    views.set_site(site->name);
    const uint64_t previous_viewer = SetVisitor(visitor, client, views);
    const auto executor = co_await asio::this_coro::executor;
    AwaitedBatch batch(CompletionQueue::Of(executor));
    batch.Submit(ingestor_, views, previous_viewer);
    co_await batch.Wait();
    if (!batch.status().ok()) co_return batch.status();
    co_return batch.result();
  }

  Ingestor& ingestor_;
  const ClientTrust& trust_;
  VisitorFinder& visitors_;
  BrowserAdmission& admission_;
  const FirstCounts counts_;
  PageAnnouncements* const pages_;
};

}  // namespace

void AddViewRoutes(SiteRoutes& routes, Ingestor& ingestor, const ClientTrust& trust, VisitorFinder& visitors,
                   BrowserAdmission& admission, FirstCounts counts, PageAnnouncements* pages) {
  const ViewHandlers door(ingestor, trust, visitors, admission, std::move(counts), pages);
  const auto refused = [&ingestor](const absl::Status& status) {
    ingestor.Refuse(absl::IsInvalidArgument(status) ? RejectReason::kInvalid : RejectReason::kUnknownSite, 1);
  };
  // The second names are for readers whose content blockers know the usual words.
  for (const char* path : {"/views", "/numbers"}) {
    routes.Add(http::verb::post, path,
               [door](const HttpRequest& request, std::shared_ptr<const Site> site) {
                 return door.Post(request, std::move(site));
               },
               {.body_limit = [door](const HttpFields& fields,
                                     const asio::ip::address& peer) { return door.BodyBytesMax(fields, peer); },
                .json = true,
                .parameters = {"article", "address", "canonical", "site", "session"},
                .refused = refused});
  }
  for (const char* path : {"/pixel.gif", "/dot.gif"}) {
    routes.Add(http::verb::get, path,
               [door](const HttpRequest& request, std::shared_ptr<const Site> site) {
                 return door.Pixel(request, std::move(site));
               },
               {.parameters = {"article", "address", "canonical", "session"}, .refused = refused});
  }
}

}  // namespace viewcount
