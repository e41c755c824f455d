// The options of the command announce.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace viewcount::cli {

// Announces single articles, or all that sitemaps and feeds name. A plain value.
struct AnnounceCommand {
  std::vector<std::string> articles;
  // Files, addresses, or `-`. They exclude `articles`.
  std::vector<std::string> sitemaps = {};
  std::vector<std::string> feeds = {};
  // These details require that `articles` has exactly one element.
  std::string title;
  std::string url;
  // The main section first. With sitemaps and feeds, all articles have these sections and tags, before their own.
  std::vector<std::string> sections;
  std::vector<std::string> tags;
  // With sitemaps and feeds, the authors and the language of articles without their own.
  std::vector<std::string> authors;
  std::string image_url;
  std::string language;
  // A time as RFC 3339 has it.
  std::string published;
  // True for pages that belong in no list.
  bool hidden = false;

  // The following options are those of sitemaps and feeds.
  //
  // True if the identifier of a feed's entry is the article's ID.
  bool id_is_guid = false;
  // True if the categories of feeds are tags, not sections.
  bool categories_are_tags = false;
  // True if a sitemap's lastmod is the time of publication.
  bool last_modified_is_published = false;
  // True to read the sitemaps that an index names on other hosts than its own.
  bool any_host = false;
  // True to only show what would be announced.
  bool dry_run = false;
  // The time-out for fetching one document, in seconds.
  double fetch_timeout = 60;

  // Returns whether a detail is given that can belong to one article only.
  bool has_details() const { return !title.empty() || !url.empty() || !image_url.empty() || !published.empty(); }
  bool in_bulk() const { return !sitemaps.empty() || !feeds.empty(); }
};

// Adds the options to the command. `options` must outlive it.
void AddAnnounceOptions(CLI::App& command, AnnounceCommand& options);

}  // namespace viewcount::cli
