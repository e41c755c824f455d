#include "client/cli/announced_article.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "client/cli/feed_time.h"
#include "client/cli/web_address.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

// Returns whether a text has the form of a BCP 47 tag. Some feeds have an underscore.
bool IsLanguage(std::string_view text) {
  return text.size() <= limits::kArticleLanguageBytesMax && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

// Returns the beginning of UTF-8 text that has at most `bytes_max` bytes and ends with a whole character.
std::string_view CutAt(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

using Labels = google::protobuf::RepeatedPtrField<std::string>;

void AddAll(const std::vector<std::string>& labels, Labels& field, EntryFaults& faults) {
  for (const std::string& label : labels) {
    if (label.empty() || std::ranges::find(field, label) != field.end()) continue;
    const bool fits = static_cast<size_t>(field.size()) < limits::kArticleLabelsMax;
    if (fits && label.size() <= limits::kArticleLabelBytesMax) {
      field.Add(std::string(label));
    } else {
      ++faults.fields_left_out;
    }
  }
}

void SetAddress(const std::string& address, std::string& field, EntryFaults& faults) {
  if (address.empty()) return;
  // A link may be a path, which the site's rule for addresses takes as well.
  if ((IsWebAddress(address) || address.starts_with('/')) && address.size() <= limits::kArticleUrlBytesMax) {
    field = WithoutCredentials(address);
  } else {
    ++faults.fields_left_out;
  }
}

void SetTime(const FeedEntry& entry, const EntryOptions& options, v1::Article& article, EntryFaults& faults) {
  std::string_view text = entry.published;
  if (text.empty() && options.last_modified_is_published) text = entry.last_modified;
  if (text.empty()) return;
  const auto time = ParseFeedTime(text, options.zone);
  if (!time) {
    ++faults.fields_left_out;
    return;
  }
  *article.mutable_publish_time() =
      google::protobuf::util::TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(*time));
}

// Returns the article that an entry names, without its details.
absl::StatusOr<EntryArticle> NamedArticleOf(const FeedEntry& entry, const ArticleRule& rule,
                                            const EntryOptions& options) {
  EntryArticle result;
  if (options.id_is_guid) {
    if (entry.guid.empty()) return absl::InvalidArgumentError("has no guid");
    if (!IsArticleId(entry.guid)) return absl::InvalidArgumentError(fmt::format("has a guid that {}", kArticleIdRule));
    result.article.set_article_id(entry.guid);
    return result;
  }
  if (entry.link.empty()) return absl::InvalidArgumentError("has no address");
  auto named = rule.Name(entry.link);
  if (!named.ok())
    return absl::InvalidArgumentError(fmt::format("has an address that {}", ToStd(named.status().message())));
  result.article.set_article_id(std::move(named->article_id));
  result.excluded = named->excluded;
  return result;
}

}  // namespace

absl::StatusOr<EntryArticle> ArticleOf(const FeedEntry& entry, const ArticleRule& rule, const EntryOptions& options,
                                       EntryFaults& faults) {
  auto result = NamedArticleOf(entry, rule, options);
  if (!result.ok()) return result;
  v1::Article& article = result->article;
  const auto title = CutAt(entry.title, limits::kArticleTitleBytesMax);
  if (title.size() < entry.title.size()) ++faults.titles_cut;
  article.set_title(title.data(), title.size());
  SetAddress(entry.link, *article.mutable_url(), faults);
  SetAddress(entry.image_url, *article.mutable_image_url(), faults);
  SetTime(entry, options, article, faults);
  AddAll(options.sections, *article.mutable_sections(), faults);
  AddAll(options.tags, *article.mutable_tags(), faults);
  Labels& categories = options.categories_are_tags ? *article.mutable_tags() : *article.mutable_sections();
  AddAll(entry.categories, categories, faults);
  AddAll(entry.tags, *article.mutable_tags(), faults);
  AddAll(entry.authors.empty() ? options.authors : entry.authors, *article.mutable_authors(), faults);
  article.set_language(options.language);
  if (!entry.language.empty()) {
    if (IsLanguage(entry.language)) {
      article.set_language(entry.language);
    } else {
      ++faults.fields_left_out;
    }
  }
  article.set_hidden_from_lists(options.hidden);
  return result;
}

}  // namespace viewcount::cli
