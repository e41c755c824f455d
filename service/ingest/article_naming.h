// Replaces the addresses of views by the IDs of the articles that they name.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>

#include "service/sites/site.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

// The changes that the site's rule made to the views of a request. A value type.
struct NamingResult {
  // The removed views of excluded paths, as the sum of their counts.
  uint64_t excluded_views = 0;
  // An article whose address has parameters that the rule drops. Empty if there is none.
  std::string shortened_article_id = {};
};

// Gives each view that has an address its article ID by the site's rule. Removes views of excluded paths. Views with an
// article ID stay as they are.
//
// Returns INVALID_ARGUMENT that names the field of an address which names no article. It does so for a second name of a
// view as well: a view has an article ID, an address or a canonical address. `request` is then not complete.
// Thread-safe.
absl::StatusOr<NamingResult> NameArticles(const Site& site, v1::RecordViewsRequest& request);

}  // namespace viewcount
