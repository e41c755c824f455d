// An article as a sitemap or a feed describes it.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount::cli {

// The number of authors, of tags and of categories that are read of an entry. More than may be announced, so that a
// report can say that some were left out.
inline constexpr size_t kFeedLabelsMax = 100;
// Further bytes of a text are dropped. Longer than any text that may be announced, and than any address.
inline constexpr size_t kFeedTextBytesMax = 20'000;

// Texts are as the document has them, without blanks at their ends, and with one blank for each run of them.
struct FeedEntry {
  // The line on which the entry begins.
  uint64_t line = 0;
  // The address of the page.
  std::string link = {};
  // The identifier that a feed gives the entry.
  std::string guid = {};
  std::string title = {};
  // A time as feeds have it; see ParseFeedTime. Empty if there is none.
  std::string published = {};
  // The last change, of sitemaps only. It is not the time of publication.
  std::string last_modified = {};
  std::vector<std::string> authors = {};
  std::vector<std::string> tags = {};
  // The entry's categories in a feed.
  std::vector<std::string> categories = {};
  std::string language = {};
  std::string image_url = {};
};

// Takes an entry. An error ends the reading.
using EntrySink = std::function<absl::Status(FeedEntry)>;

// The text of an element, which comes in pieces. Not thread-safe.
class ElementText {
 public:
  void Add(std::string_view piece);
  // Returns the text in its simple form and forgets it.
  std::string Take();

 private:
  std::string text_;
};

// Returns the text without white space at its ends, and with one blank for each run of white space. Thread-safe.
std::string WithSingleBlanks(std::string_view text);

// Returns true for a text that begins with http:// or https://, in any case. Thread-safe.
bool IsWebAddress(std::string_view text);

// Adds a text to a list, unless it is empty, already there, or the list is full. Thread-safe.
void AddLabel(std::string label, std::vector<std::string>& list);

// Returns `html` without tags if `tags` is set, and with its character references decoded: those by number, and &amp;
// &lt; &gt; &quot; &apos; and &nbsp;. Others stay as they are. Thread-safe.
std::string PlainText(std::string_view html, bool tags);

}  // namespace viewcount::cli
