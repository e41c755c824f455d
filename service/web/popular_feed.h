// Popular lists as feeds: RSS 2.0 (rssboard.org/rss-specification) and JSON Feed 1.1 (jsonfeed.org/version/1.1). Pure
// functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "service/web/digit_grouping.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

struct FeedOptions {
  // The site's name.
  std::string_view site;
  // The portal's origin, such as https://news.example.org; empty if it is not known. Article IDs that are paths are
  // links there.
  std::string_view origin = {};
  // True for Vietnamese words, false for English ones.
  bool vietnamese = false;
  DigitGrouping grouping = {};
};

// Returns the address of an article's page, with http or https; empty if it is not known.
std::string ListedLink(const v1::RankedArticle& article, const FeedOptions& options);
// Returns the list's title, the article's name, and its views with their unit. None of them is escaped.
std::string ListTitle(const FeedOptions& options);
const std::string& ListedName(const v1::RankedArticle& article);
std::string ListedViews(const v1::RankedArticle& article, const FeedOptions& options);

// Titles and labels are untrusted: they are escaped, and only http and https addresses become links. An article without
// a title is named by its ID. The feeds do not contain the time at which they were made, so that caches know equal
// ones.
std::string RssOf(const v1::ListPopularResponse& list, const FeedOptions& options);
std::string JsonFeedOf(const v1::ListPopularResponse& list, const FeedOptions& options);

}  // namespace viewcount
