// Sends announcements in batches.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <string>
#include <unordered_set>

#include "client/cli/announce_report.h"
#include "client/cli/session.h"

namespace viewcount::cli {

// Not thread-safe. The session and the counts must outlive it.
class ArticleSender {
 public:
  // A dry run prints the announcements instead, as lines of text or as elements of a JSON array.
  ArticleSender(Session& session, std::string site, bool dry_run, AnnounceCounts& counts);

  // Takes an announcement. It is sent with a full batch, or by Finish. An article without a title is left out if it
  // was taken with a title before, because it would replace that. Returns the service's error.
  absl::Status Take(v1::Article article);
  // Sends the articles that were taken and not sent yet. Returns the service's error.
  absl::Status Finish();

 private:
  void Show(const v1::Article& article);

  Session& session_;
  const bool dry_run_;
  AnnounceCounts& counts_;
  v1::PutArticlesRequest request_;
  size_t request_bytes_ = 0;
  // Hashes of the IDs that had a title, because an index may name millions of articles.
  std::unordered_set<uint64_t> with_title_;
  bool shown_ = false;
};

}  // namespace viewcount::cli
