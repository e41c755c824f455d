#include "service/query/asked_articles.h"

#include <algorithm>
#include <utility>

#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {

absl::StatusOr<std::string> ArticleOf(const Site& site, const std::string& article_id, const std::string& address,
                                      const std::string& canonical_address) {
  const bool canonical = !canonical_address.empty();
  const std::string& asked = canonical ? canonical_address : address;
  if (asked.empty()) {
    if (article_id.empty() || IsArticleId(article_id)) return article_id;
    return InvalidField("article_id", kArticleIdRule);
  }
  const std::string_view field = canonical ? "canonical_address" : "address";
  if (!article_id.empty() || (canonical && !address.empty())) {
    return InvalidField(field, "must be the only one of article_id, address and canonical_address");
  }
  auto named = site.rule.Name(asked, canonical ? AddressKind::kCanonical : AddressKind::kRequested);
  if (!named.ok()) return InvalidField(field, ToStd(named.status().message()));
  return std::move(named->article_id);
}

void AskedArticles::AddAddress(const Site& site, const std::string& text, AddressKind kind) {
  Entry& entry = entries_.emplace_back();
  entry.text = text;
  entry.kind = kind;
  auto named = site.rule.Name(text, kind);
  if (named.ok()) {
    entry.id = std::move(named->article_id);
    ids_.push_back(entry.id);
  } else {
    entry.error = std::string(named.status().message());
  }
}

void AskedArticles::Describe(const Entry& entry, v1::ArticleCount& count) {
  entry.kind == AddressKind::kCanonical ? count.set_canonical_address(entry.text) : count.set_address(entry.text);
  if (!entry.error.empty()) count.set_error(entry.error);
}

void AskedArticles::Complete(v1::GetCountsResponse& response) const {
  google::protobuf::RepeatedPtrField<v1::ArticleCount> counts;
  counts.Swap(response.mutable_counts());
  const auto named = std::ranges::count_if(entries_, [](const Entry& entry) { return entry.error.empty(); });
  int next = 0;
  for (const int plain = counts.size() - static_cast<int>(named); next < plain; ++next) {
    response.add_counts()->Swap(&counts[next]);
  }
  for (const Entry& entry : entries_) {
    v1::ArticleCount& count = *response.add_counts();
    if (entry.error.empty()) count.Swap(&counts[next++]);
    Describe(entry, count);
  }
}

void AskedArticles::Complete(v1::WatchCountsResponse& response, bool errors) const {
  if (entries_.empty()) return;
  google::protobuf::RepeatedPtrField<v1::ArticleCount> counts;
  counts.Swap(response.mutable_counts());
  const auto plain_end = ids_.end() - std::ranges::count_if(entries_, [](const Entry& e) { return e.error.empty(); });
  for (const v1::ArticleCount& count : counts) {
    if (std::find(ids_.begin(), plain_end, count.article_id()) != plain_end) *response.add_counts() = count;
    for (const Entry& entry : entries_) {
      if (!entry.error.empty() || entry.id != count.article_id()) continue;
      v1::ArticleCount& described = *response.add_counts();
      described = count;
      Describe(entry, described);
    }
  }
  for (const Entry& entry : entries_) {
    if (errors && !entry.error.empty()) Describe(entry, *response.add_counts());
  }
}

}  // namespace viewcount
