// The interface of a store for snapshots of sites, besides the reads of counts.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/identifiers.h"
#include "service/model/window.h"

namespace viewcount {

// A step of a listing of texts about articles.
struct ArticleTextScan {
  struct Entry {
    std::string article_id;
    std::string text;
  };
  // An article may have been in an earlier step as well.
  std::vector<Entry> entries;
  // Where the next step begins. Empty after the last step.
  std::string cursor;
};

// Threads and errors are those of CountStore.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;

  // Returns what adjustments of the site itself added to the shard's sums of views, by window. Zeros are left out.
  // Visits are not included.
  virtual boost::asio::awaitable<absl::StatusOr<std::map<Window, int64_t>>> ReadStartValues(Shard shard,
                                                                                            std::string_view site) = 0;
  // Lists the texts that SiteStore::WriteArticles wrote in the shard, in steps of about a thousand. `cursor` is that of
  // the previous step, and empty for the first one. A text that is there during the whole listing is in one of the
  // steps.
  virtual boost::asio::awaitable<absl::StatusOr<ArticleTextScan>> ScanArticleTexts(Shard shard, std::string_view site,
                                                                                   std::string_view cursor) = 0;
};

}  // namespace viewcount
