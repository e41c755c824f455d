// The report of an announcement from sitemaps and feeds, for people and for programs.
#pragma once

#include <cstdint>
#include <string>

#include "client/cli/announced_article.h"

namespace viewcount::cli {

// Numbers of entries. `entries` is the sum of the four after it.
struct AnnounceCounts {
  // The sitemaps and feeds that were read, whole or in part.
  uint64_t documents = 0;
  // Documents that are neither.
  uint64_t documents_not_understood = 0;
  // The documents that could not be read, or not to their end.
  uint64_t documents_failed = 0;
  uint64_t entries = 0;
  uint64_t announced = 0;
  // Entries that name no article.
  uint64_t left_out = 0;
  // Entries whose paths do not count by the site's rule.
  uint64_t excluded_paths = 0;
  // Entries without a title, whose article was announced with one before.
  uint64_t known_better = 0;
  EntryFaults faults = {};

  // True if something was read, and no article was found in it.
  bool nothing_understood() const {
    return announced + excluded_paths == 0 && (left_out > 0 || documents_not_understood > 0);
  }
};

// Returns the report as a line of text. Pure function; thread-safe.
std::string AnnounceReportText(const AnnounceCounts& counts, bool dry_run);
// Returns the members of a JSON object, without its braces. Pure function; thread-safe.
std::string AnnounceReportJson(const AnnounceCounts& counts);

}  // namespace viewcount::cli
