// The articles of a question, each asked for by its ID or by an address.
#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/repeated_field.h>

#include <string>
#include <string_view>
#include <vector>

#include "service/addresses/article_rule.h"
#include "service/sites/site.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Immutable, so thread-safe.
class AskedArticles {
 public:
  // The articles of a GetCountsRequest or a WatchCountsRequest. The addresses get their article IDs by the site's rule.
  template <typename Request>
  AskedArticles(const Site& site, const Request& request) {
    for (const std::string& id : request.article_ids()) AddId(id);
    for (const std::string& text : request.addresses()) AddAddress(site, text, AddressKind::kRequested);
    for (const std::string& text : request.canonical_addresses()) AddAddress(site, text, AddressKind::kCanonical);
  }
  // Articles that are asked for by their IDs.
  explicit AskedArticles(std::vector<std::string> ids) : ids_(std::move(ids)) {}

  // The article IDs, in the order of the request, without the addresses that name no article.
  const std::vector<std::string>& ids() const { return ids_; }
  // Returns true if at least one article is asked for by address.
  bool has_addresses() const { return !entries_.empty(); }

  // Completes a response whose counts are those of ids() in the same order. Adds what was asked, and entries for the
  // addresses that name no article.
  void Complete(v1::GetCountsResponse& response) const;
  // Completes a response that has some of the articles, each once. With `errors`, adds entries for the addresses that
  // name no article.
  void Complete(v1::WatchCountsResponse& response, bool errors) const;

 private:
  // Something that was asked by address. Either `id` or `error` is empty.
  struct Entry {
    std::string id;
    std::string text;
    AddressKind kind = AddressKind::kRequested;
    std::string error;
  };

  void AddId(const std::string& id) { ids_.push_back(id); }
  void AddAddress(const Site& site, const std::string& text, AddressKind kind);
  static void Describe(const Entry& entry, v1::ArticleCount& count);

  std::vector<std::string> ids_;
  // The addresses. The last ones of `ids_` are theirs, in the same order.
  std::vector<Entry> entries_;
};

// Returns the article that a request names by article_id, address or canonical_address, or an empty text if it names
// none. INVALID_ARGUMENT names the field. Thread-safe.
absl::StatusOr<std::string> ArticleOf(const Site& site, const std::string& article_id, const std::string& address,
                                      const std::string& canonical_address);
template <typename Request>
absl::StatusOr<std::string> ArticleOf(const Site& site, const Request& request) {
  return ArticleOf(site, request.article_id(), request.address(), request.canonical_address());
}

}  // namespace viewcount
