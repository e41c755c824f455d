// The interface of a store of sites: their settings, their aliases, and texts about their articles.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/identifiers.h"
#include "service/sites/aliases.h"
#include "service/sites/site_settings.h"

namespace viewcount {

// A site as the store holds it.
struct StoredSite {
  std::string name;
  SiteSettings settings;
  AliasEntries aliases = {};
};

// An announced article in the order of publication: by time, then by ID, bytewise.
struct Publication {
  int64_t unix_ms = 0;
  std::string article_id;

  auto operator<=>(const Publication&) const = default;
};

// A piece of the order of publication.
struct PublicationRange {
  // True for the articles from this time on in ascending order; false for those up to this time in descending order.
  bool ascending = true;
  int64_t unix_ms = 0;
  // The number of articles that are skipped, and the number that are returned at most.
  size_t skipped = 0;
  size_t articles_max = 0;
};

// A step of a listing of texts about articles.
struct TextScan {
  struct Text {
    std::string article_id;
    std::string text;
  };
  // An article may have been in an earlier step as well.
  std::vector<Text> texts;
  // Where the next step begins. Empty after the last step.
  std::string cursor;
};

// Holds what the instances share about sites, apart from counts. Threads and errors are those of CountStore, without
// ABORTED. Every write may be repeated after an error.
class SiteStore {
 public:
  virtual ~SiteStore() = default;

  // Returns all sites with their settings and aliases.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> ReadSites() = 0;
  // Writes the site's name and settings; its aliases stay as they are.
  virtual boost::asio::awaitable<absl::Status> WriteSite(const StoredSite& site) = 0;
  // Like WriteSite, but only if the store holds the settings `expected`. Returns whether it did.
  virtual boost::asio::awaitable<absl::StatusOr<bool>> SwapSite(const StoredSite& site,
                                                                const SiteSettings& expected) = 0;
  // Adds aliases of a site, or replaces those of the same articles. Requires at least one.
  virtual boost::asio::awaitable<absl::Status> WriteAliases(std::string_view site, const AliasEntries& aliases) = 0;

  // Writes texts about articles of one shard, by ID, and replaces earlier ones. Requires at least one.
  virtual boost::asio::awaitable<absl::Status> WriteArticles(Shard shard, std::string_view site,
                                                             const std::map<std::string, std::string>& articles) = 0;
  // Returns the texts in the order of `ids`; nothing for an article without a text. Requires at least one ID.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) = 0;
  // Lists the texts about articles of a shard, in steps of about a thousand. `cursor` is that of the previous step, and
  // empty for the first one. A text that is there during the whole listing is in one of the steps.
  virtual boost::asio::awaitable<absl::StatusOr<TextScan>> ScanArticleTexts(Shard shard, std::string_view site,
                                                                            std::string_view cursor) = 0;

  // Writes and reads the texts that pages announce about themselves. They are kept apart from those of WriteArticles,
  // so that neither replaces the other.
  virtual boost::asio::awaitable<absl::Status> WritePageArticle(Shard shard, std::string_view site, std::string_view id,
                                                                std::string_view text) = 0;
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> ReadPageArticles(
      Shard shard, std::string_view site, const std::vector<std::string_view>& ids) = 0;

  // Sets the articles' places in the site's order of publication. Those without a time get none. `shard` must always be
  // the same for a site. Requires at least one article. A time is an integer that a double can hold.
  virtual boost::asio::awaitable<absl::Status> WritePublications(
      Shard shard, std::string_view site, const std::map<std::string, std::optional<int64_t>>& articles) = 0;
  // Returns a piece of the site's order of publication.
  virtual boost::asio::awaitable<absl::StatusOr<std::vector<Publication>>> ReadPublications(
      Shard shard, std::string_view site, const PublicationRange& range) = 0;
};

}  // namespace viewcount
