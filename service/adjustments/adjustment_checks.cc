#include "service/adjustments/adjustment_checks.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {
namespace {

absl::Status CheckArticle(std::string_view field, std::string_view id) {
  if (IsArticleId(id)) return absl::OkStatus();
  return InvalidField(
      field, fmt::format("must be 1 to {} bytes of UTF-8 without control characters", limits::kArticleIdBytesMax));
}

// Checks a list of different articles.
absl::Status CheckArticles(const google::protobuf::RepeatedPtrField<std::string>& ids) {
  const auto count = static_cast<size_t>(ids.size());
  if (count == 0 || count > limits::kAdjustedArticlesMax) {
    return InvalidField("article_ids", fmt::format("must be 1 to {}, not {}", limits::kAdjustedArticlesMax, count));
  }
  std::set<std::string_view> seen;
  for (size_t i = 0; i < count; ++i) {
    const std::string& id = ids[static_cast<int>(i)];
    const std::string field = fmt::format("article_ids[{}]", i);
    if (auto status = CheckArticle(field, id); !status.ok()) return status;
    if (!seen.insert(id).second) return InvalidField(field, "is there twice");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Check(const v1::Provenance& provenance) {
  if (provenance.who().empty()) return InvalidField("provenance.who", "must name the person or program");
  const auto too_long = [](std::string_view field) {
    return InvalidField(field, fmt::format("must be at most {} bytes", limits::kProvenanceBytesMax));
  };
  if (provenance.who().size() > limits::kProvenanceBytesMax) return too_long("provenance.who");
  if (provenance.why().size() > limits::kProvenanceBytesMax) return too_long("provenance.why");
  return absl::OkStatus();
}

absl::Status Check(const v1::SetCountsRequest& request) {
  if (!request.article_id().empty()) {
    if (auto status = CheckArticle("article_id", request.article_id()); !status.ok()) return status;
  }
  if (request.has_visits() && !request.article_id().empty()) {
    return InvalidField("visits", "must not be set for an article: a site has them");
  }
  if (!request.has_views() && !request.has_visits()) return InvalidField("views", "must be set");
  if (request.views() > limits::kCountMax) return InvalidField("views", "must be at most 2^53");
  if (request.visits() > limits::kCountMax) return InvalidField("visits", "must be at most 2^53");
  return Check(request.provenance());
}

absl::Status Check(const v1::DeleteArticlesRequest& request) {
  if (auto status = CheckArticles(request.article_ids()); !status.ok()) return status;
  return Check(request.provenance());
}

absl::Status Check(const v1::NormalizeArticlesRequest& request) {
  if (auto status = CheckArticles(request.article_ids()); !status.ok()) return status;
  return Check(request.provenance());
}

absl::Status Check(const v1::MergeArticlesRequest& request) {
  if (auto status = CheckArticle("from_article_id", request.from_article_id()); !status.ok()) return status;
  if (auto status = CheckArticle("into_article_id", request.into_article_id()); !status.ok()) return status;
  if (request.from_article_id() == request.into_article_id()) {
    return InvalidField("into_article_id", "must be another article than from_article_id");
  }
  return Check(request.provenance());
}

absl::Status Check(const v1::ListAdjustmentsRequest& request) {
  if (request.page_size() <= limits::kAdjustmentsPageMax) return absl::OkStatus();
  return InvalidField("page_size", fmt::format("must be 1 to {}, or 0 for {}", limits::kAdjustmentsPageMax,
                                               limits::kAdjustmentsPageDefault));
}

absl::Status Check(const v1::UndoAdjustmentRequest& request) {
  if (!BytesOfHex(request.adjustment_id())) return InvalidField("adjustment_id", "must be 32 hexadecimal digits");
  return Check(request.provenance());
}

}  // namespace viewcount
