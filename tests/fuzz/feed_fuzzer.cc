// Gives arbitrary documents to the readers of sitemaps and feeds. Read in two pieces they must be the same as in one,
// and every text must be UTF-8.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/feed_time.h"
#include "service/base/check.h"
#include "service/base/text.h"
#include "tests/unit/client/feed_fixture.h"

namespace {

using viewcount::cli::FeedEntry;
using viewcount::cli::ReadFeed;

void CheckTexts(const FeedEntry& entry) {
  for (const std::string* text : {&entry.link, &entry.guid, &entry.title, &entry.published, &entry.last_modified,
                                  &entry.language, &entry.image_url}) {
    VIEWCOUNT_CHECK(viewcount::IsUtf8(*text) && text->size() <= 2 * viewcount::cli::kFeedTextBytesMax);
  }
  for (const auto* list : {&entry.authors, &entry.tags, &entry.categories}) {
    VIEWCOUNT_CHECK(list->size() <= viewcount::cli::kFeedLabelsMax);
    for (const std::string& label : *list) VIEWCOUNT_CHECK(!label.empty() && viewcount::IsUtf8(label));
  }
  const auto time = viewcount::cli::ParseFeedTime(entry.published, absl::UTCTimeZone());
  VIEWCOUNT_CHECK(!time || *time >= absl::UnixEpoch());
}

void CheckSame(const ReadFeed& whole, const ReadFeed& pieces) {
  VIEWCOUNT_CHECK(whole.status.ok() == pieces.status.ok() && whole.entries.size() == pieces.entries.size());
  for (size_t i = 0; i < whole.entries.size(); ++i) {
    CheckTexts(whole.entries[i]);
    VIEWCOUNT_CHECK(whole.entries[i].title == pieces.entries[i].title);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  const size_t piece = size / 2 + 1;
  CheckSame(viewcount::cli::ReadSitemapText(document), viewcount::cli::ReadSitemapText(document, piece));
  CheckSame(viewcount::cli::ReadFeedText(document), viewcount::cli::ReadFeedText(document, piece));
  return 0;
}
