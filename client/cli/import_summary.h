// The sum of what an import did, over all its logs.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>

#include "client/cli/access_log.h"
#include "service/addresses/dropped_parameters.h"

namespace viewcount::cli {

// Numbers of lines. `lines` is the sum of all others, apart from `unconfirmed_views`, and apart from damage of
// compressed files. Damage also counts in `bad_lines`, although it is not one of the lines.
struct ImportCounts {
  uint64_t lines = 0;
  // Lines that an earlier import had acknowledged.
  uint64_t imported_before_lines = 0;
  // Views that the service accepted, by people and by bots.
  uint64_t views = 0;
  uint64_t bot_views = 0;
  // Views that the service did not accept, because the viewer had viewed the article within the site's cool-down.
  uint64_t cool_down_lines = 0;
  // Requests that are not page views.
  uint64_t no_page_lines = 0;
  uint64_t excluded_path_lines = 0;
  uint64_t excluded_address_lines = 0;
  uint64_t other_host_lines = 0;
  // Blank lines and comments.
  uint64_t blank_lines = 0;
  uint64_t bad_lines = 0;
  // The part of `views` whose acknowledgement was lost. They are counted, but those within a cool-down are not known.
  uint64_t unconfirmed_views = 0;

  // The lines of this import that were requests.
  uint64_t understood_lines() const { return lines - imported_before_lines - blank_lines - bad_lines; }
};

// Collects the numbers and what the report says beside them. Not thread-safe.
class ImportSummary {
 public:
  ImportCounts counts;
  // The names of the formats of all logs.
  std::set<std::string, std::less<>> formats;

  // Adds a line of the kinds that are not sent to the service, or one that was imported before.
  void CountLine(LineKind kind);
  // Takes note of a view that is about to be sent.
  void Observe(const AccessLogLine& view);
  // Takes note of a view that the service accepted.
  void AddArticle(std::string_view article_id);

  // The number of distinct articles among the accepted views.
  uint64_t articles() const { return articles_.size(); }
  // Returns true if all views name the same client, and they are so many that it is probably a proxy: 20, or 5 from an
  // address of a private network.
  bool all_of_one_client() const;
  const DroppedParameters& dropped() const { return dropped_; }

 private:
  // Hashes of article IDs, because a year's log with millions of articles must not fill the memory. A 64-bit hash
  // confuses two articles once in millions of such logs. Such a collision changes only articles().
  std::unordered_set<uint64_t> articles_;
  DroppedParameters dropped_;
  uint64_t observed_views_ = 0;
  uint64_t first_client_ = 0;
  bool private_client_ = false;
  bool several_clients_ = false;
};

}  // namespace viewcount::cli
