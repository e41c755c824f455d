// Turns entries of sitemaps and feeds into announcements.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/feed_entry.h"
#include "service/addresses/article_rule.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount::cli {

// How entries are understood. A plain value.
struct EntryOptions {
  // The time zone of times without one.
  absl::TimeZone zone = {};
  // True if the entry's identifier is the article's ID, not its address.
  bool id_is_guid = false;
  // True if the categories of feeds are tags, not sections.
  bool categories_are_tags = false;
  // True if the last change in a sitemap is the time of publication.
  bool last_modified_is_published = false;
  // Sections and tags that all articles have, before their own.
  std::vector<std::string> sections = {};
  std::vector<std::string> tags = {};
  // The authors and the language of articles without their own.
  std::vector<std::string> authors = {};
  std::string language = {};
  bool hidden = false;
};

// Numbers of what could not be announced as it was written.
struct EntryFaults {
  // Titles that were cut at the end of a character, because they were too long.
  uint64_t titles_cut = 0;
  // Fields that were left out, because they are too long or no address, time or language.
  uint64_t fields_left_out = 0;
};

// An announcement.
struct EntryArticle {
  v1::Article article;
  // True if views of this path do not count by the site's rule.
  bool excluded = false;
};

// Returns the announcement of an entry. INVALID_ARGUMENT if it names no article; the message says why. Adds to
// `faults`. Thread-safe.
absl::StatusOr<EntryArticle> ArticleOf(const FeedEntry& entry, const ArticleRule& rule, const EntryOptions& options,
                                       EntryFaults& faults);

}  // namespace viewcount::cli
