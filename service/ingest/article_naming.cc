#include "service/ingest/article_naming.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "service/base/status.h"

namespace viewcount {
namespace {

// Sets the article ID of a view with an address. Returns whether its path is excluded.
absl::StatusOr<bool> NameArticle(const Site& site, int index, v1::View& view, NamingResult& result) {
  const bool canonical = !view.canonical_address().empty();
  const std::string& address = canonical ? view.canonical_address() : view.address();
  if (address.empty()) return false;
  const std::string field = fmt::format("views[{}].{}", index, canonical ? "canonical_address" : "address");
  if (!view.article_id().empty() || (canonical && !view.address().empty())) {
    return InvalidField(field, "must be the only one of article_id, address and canonical_address");
  }
  auto named = site.rule.Name(address, canonical ? AddressKind::kCanonical : AddressKind::kRequested);
  if (!named.ok()) return InvalidField(field, ToStd(named.status().message()));
  if (!named->dropped.empty()) result.shortened_article_id = named->article_id;
  view.set_article_id(std::move(named->article_id));
  view.clear_address();
  view.clear_canonical_address();
  return named->excluded;
}

}  // namespace

absl::StatusOr<NamingResult> NameArticles(const Site& site, v1::RecordViewsRequest& request) {
  NamingResult result;
  auto& views = *request.mutable_views();
  int kept = 0;
  for (int i = 0; i < views.size(); ++i) {
    const auto excluded = NameArticle(site, i, views[i], result);
    if (!excluded.ok()) return excluded.status();
    if (*excluded) {
      result.excluded_views += std::max(views[i].count(), 1U);
    } else {
      views.SwapElements(kept++, i);
    }
  }
  views.DeleteSubrange(kept, views.size() - kept);
  return result;
}

}  // namespace viewcount
