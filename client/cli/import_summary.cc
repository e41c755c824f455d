#include "client/cli/import_summary.h"

#include "service/base/check.h"
#include "service/base/hash.h"

namespace viewcount::cli {
namespace {

// With fewer views a single reader is nothing unusual.
constexpr uint64_t kOneClientViewsMin = 20;
constexpr uint64_t kOnePrivateClientViewsMin = 5;

}  // namespace

void ImportSummary::CountLine(LineKind kind) {
  ++counts.lines;
  switch (kind) {
    case LineKind::kNoPage:
      ++counts.no_page_lines;
      return;
    case LineKind::kExcludedPath:
      ++counts.excluded_path_lines;
      return;
    case LineKind::kExcludedAddress:
      ++counts.excluded_address_lines;
      return;
    case LineKind::kOtherHost:
      ++counts.other_host_lines;
      return;
    case LineKind::kBlank:
      ++counts.blank_lines;
      return;
    case LineKind::kBad:
      ++counts.bad_lines;
      return;
    case LineKind::kImportedBefore:
      ++counts.imported_before_lines;
      return;
    case LineKind::kView:
    case LineKind::kBotView:
      break;
  }
  VIEWCOUNT_CHECK(false);
}

void ImportSummary::Observe(const AccessLogLine& view) {
  dropped_.Add(view.article_id, view.dropped);
  if (observed_views_++ == 0) first_client_ = view.client;
  several_clients_ |= view.client != first_client_;
  private_client_ = view.private_client;
}

void ImportSummary::AddArticle(std::string_view article_id) { articles_.insert(Hash64(article_id)); }

bool ImportSummary::all_of_one_client() const {
  const uint64_t views_min = private_client_ ? kOnePrivateClientViewsMin : kOneClientViewsMin;
  return observed_views_ >= views_min && first_client_ != 0 && !several_clients_;
}

}  // namespace viewcount::cli
