#include "service/http/page_routes.h"

#include <absl/strings/match.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "service/articles/article_catalog.h"
#include "service/base/log.h"
#include "service/base/status.h"
#include "service/http/json.h"
#include "service/http/page_origin.h"
#include "viewcount/v1/ingest.pb.h"
#include "viewcount/v1/pages.pb.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using Answer = boost::asio::awaitable<absl::StatusOr<HttpResponse>>;

// The largest announcement whose fields are within their limits has less.
constexpr size_t kAnnouncementBytesMax = 48 << 10;

bool IsWebAddress(std::string_view text) {
  return absl::StartsWithIgnoreCase(ToAbsl(text), "https://") || absl::StartsWithIgnoreCase(ToAbsl(text), "http://");
}

// Returns the origin of an address with scheme and host, as browsers send origins.
std::string_view OriginOfAddress(std::string_view address) {
  const size_t host = address.find("://");
  return host == std::string_view::npos ? std::string_view()
                                        : address.substr(0, address.find_first_of("/?#", host + 3));
}

// Returns the origin of the page that sent the request. Errors name the setting.
absl::StatusOr<std::string_view> CheckedOrigin(const HttpRequest& request, const Site& site) {
  if (!site.settings.page_announcements) {
    return absl::NotFoundError(
        fmt::format("pages of site {0} do not announce themselves; let them with: viewcount site put {0} "
                    "--page-announcements",
                    site.name));
  }
  const std::string_view origin = PageOrigin(request[http::field::origin], request[http::field::referer]);
  // A page must be named here, other than for views.
  if (!origin.empty() && site.Allows(origin)) return origin;
  return absl::PermissionDeniedError(
      fmt::format("site {} does not take announcements from pages of \"{}\"", site.name, EscapeForText(origin)));
}

absl::StatusOr<v1::Article> ArticleOf(const v1::PageAnnouncement& page, std::string_view origin, const Site& site) {
  if (!IsWebAddress(page.address()) || OriginOfAddress(page.address()) != origin) {
    return InvalidField("address", fmt::format("must be the page's own address, at {}", EscapeForText(origin)));
  }
  const bool canonical = !page.canonical_address().empty();
  if (canonical &&
      !(IsWebAddress(page.canonical_address()) && site.Allows(OriginOfAddress(page.canonical_address())))) {
    return InvalidField("canonical_address", "must be an address at one of the site's origins");
  }
  if (page.title().empty()) return InvalidField("title", "must not be empty");
  if (!page.image_url().empty() && !IsWebAddress(page.image_url())) {
    return InvalidField("image_url", "must be an address with http or https");
  }
  const std::string& address = canonical ? page.canonical_address() : page.address();
  auto named = site.rule.Name(address, canonical ? AddressKind::kCanonical : AddressKind::kRequested);
  if (!named.ok()) return InvalidField(canonical ? "canonical_address" : "address", ToStd(named.status().message()));
  if (named->excluded) return InvalidField("address", "is of a path whose views do not count");
  v1::Article article;
  article.set_article_id(std::string(site.Resolve(named->article_id)));
  article.set_title(page.title());
  article.set_url(address);
  *article.mutable_sections() = page.sections();
  *article.mutable_authors() = page.authors();
  *article.mutable_tags() = page.tags();
  article.set_image_url(page.image_url());
  article.set_language(page.language());
  if (page.has_publish_time()) *article.mutable_publish_time() = page.publish_time();
  return article;
}

// Names the fields of an error as the announcement has them.
absl::Status WithFieldsOfPage(const absl::Status& status) {
  constexpr std::string_view kPrefix = "articles[0].";
  const std::string field = FieldOf(status);
  if (!field.starts_with(kPrefix)) return status;
  std::string message(ToStd(status.message()));
  // The message repeats the field.
  if (const size_t at = message.find(field); at != std::string::npos) message.erase(0, at + field.size());
  message.erase(0, std::min(message.find_first_not_of(": "), message.size()));
  return InvalidField(field.substr(kPrefix.size()), message);
}

Answer TakeAnnouncement(PageAnnouncements& pages, const ClientTrust& trust, BrowserAdmission& admission,
                        const HttpRequest& request, std::shared_ptr<const Site> site) {
  const auto origin = CheckedOrigin(request, *site);
  if (!origin.ok()) co_return origin.status();
  v1::PageAnnouncement page;
  if (auto status = FromJson(request.body(), page); !status.ok()) co_return status;
  auto article = ArticleOf(page, *origin, *site);
  if (!article.ok()) co_return article.status();
  // The announcement costs what a view of the article costs.
  v1::RecordViewsRequest views;
  views.add_views()->set_article_id(article->article_id());
  const Client client = trust.Find(request, request.peer);
  const std::optional<Refusal> refused = co_await admission.Admit(client, site, views);
  if (refused) co_return refused->status;
  v1::PageAnnouncementResponse response;
  response.set_article_id(article->article_id());
  const absl::StatusOr<bool> stored = co_await pages.Take(site, *std::move(article));
  if (!stored.ok()) co_return WithFieldsOfPage(stored.status());
  response.set_announced(*stored);
  co_return JsonResponse(response);
}

}  // namespace

void AddPageRoutes(SiteRoutes& routes, PageAnnouncements& pages, const ClientTrust& trust,
                   BrowserAdmission& admission) {
  routes.Add(http::verb::post, "/pages",
             [&pages, &trust, &admission](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return TakeAnnouncement(pages, trust, admission, request, std::move(site));
             },
             {.body_limit = [](const HttpFields&, const boost::asio::ip::address&) { return kAnnouncementBytesMax; },
              .json = true});
}

}  // namespace viewcount
