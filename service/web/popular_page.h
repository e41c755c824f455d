// A popular list as a small HTML page without scripts, which other pages embed in a frame. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "service/web/popular_feed.h"
#include "service/web/svg_text.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

struct PopularPageOptions {
  FeedOptions feed;
  Theme theme = Theme::kAuto;
  // The address of the page's oEmbed description.
  std::string_view oembed_address = {};
};

// Titles and labels are untrusted: they are escaped, and only http and https addresses become links. The page needs the
// style sheet `embed.css` beside it.
std::string PopularPage(const v1::ListPopularResponse& list, const PopularPageOptions& options);

}  // namespace viewcount
