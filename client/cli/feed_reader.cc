#include "client/cli/feed_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace viewcount::cli {
namespace {

constexpr std::string_view kFeedRoots[] = {"rss", "atom:feed", "rdf:RDF"};
// The elements of an entry whose texts are read.
constexpr std::string_view kFeedFields[] = {"title",    "link",       "guid",       "pubDate",        "author",
                                            "category", "atom:title", "atom:id",    "atom:published", "atom:updated",
                                            "dc:date",  "dc:title",   "dc:creator", "dc:subject",     "dc:language"};

std::string Cleaned(std::string_view text) { return WithSingleBlanks(text.substr(0, kFeedTextBytesMax)); }

// RSS has authors as `address (Name)`.
std::string NameOfAuthor(std::string author) {
  const size_t open = author.find(" (");
  if (open == std::string::npos || !author.ends_with(')')) return author;
  const std::string_view address = std::string_view(author).substr(0, open);
  if (address.find('@') == std::string_view::npos || address.find(' ') != std::string_view::npos) return author;
  return author.substr(open + 2, author.size() - open - 3);
}

}  // namespace

bool FeedReader::IsEntry(std::string_view name) const {
  const std::string& root = path_.front();
  if (root == "atom:feed") return name == "atom:entry" && path_.size() == 2;
  if (name != "item") return false;
  // RSS has the items within the channel, RDF beside it.
  return path_.size() == 2 || (path_.size() == 3 && path_[1] == "channel");
}

std::string_view FeedReader::Parent() const {
  return path_.size() < 2 ? std::string_view() : std::string_view(path_[path_.size() - 2]);
}

bool FeedReader::IsDirect() const {
  const size_t depth = path_.size() - entry_depth_;
  return depth == 1 || (depth == 2 && Parent() == "media:group");
}

absl::Status FeedReader::OnStart(std::string_view name, const XmlAttributes& attributes) {
  if (path_.empty() && std::ranges::find(kFeedRoots, name) == std::end(kFeedRoots)) {
    const bool is_sitemap = name == "urlset" || name == "sitemapindex";
    return absl::InvalidArgumentError(fmt::format("the element {} begins no feed{}", name,
                                                  is_sitemap ? "; this is a sitemap, which --sitemap reads" : ""));
  }
  path_.emplace_back(name);
  if (field_depth_ > 0) return absl::OkStatus();
  if (path_.size() == 1) language_ = Cleaned(attributes.Find("xml:lang"));
  if (entry_depth_ == 0 && IsEntry(name)) {
    entry_depth_ = path_.size();
    entry_ = {.line = attributes.line(),
              .guid = Cleaned(attributes.Find("rdf:about")),
              .language = Cleaned(attributes.Find("xml:lang"))};
    parts_ = {};
    return absl::OkStatus();
  }
  if (entry_depth_ > 0 && IsDirect()) TakeAttributes(name, attributes);
  if (IsField(name)) field_depth_ = path_.size();
  return absl::OkStatus();
}

void FeedReader::TakeAttributes(std::string_view name, const XmlAttributes& attributes) {
  if (name == "guid") parts_.guid_is_link = attributes.Find("isPermaLink") != "false";
  if (name == "atom:title") parts_.title_is_html = attributes.Find("type") == "html";
  if (name == "atom:link") TakeLink(attributes);
  if (name == "atom:category") {
    const auto label = attributes.Find("label");
    AddLabel(Cleaned(label.empty() ? attributes.Find("term") : label), entry_.categories);
  }
  if (name == "enclosure" || name == "media:content" || name == "media:thumbnail") TakePicture(name, attributes);
}

void FeedReader::TakeLink(const XmlAttributes& attributes) {
  const auto relation = attributes.Find("rel");
  const std::string address = Cleaned(attributes.Find("href"));
  const bool is_page = relation.empty() || relation == "alternate";
  if (is_page && entry_.link.empty()) entry_.link = address;
  if (relation == "enclosure" && attributes.Find("type").starts_with("image/") && entry_.image_url.empty()) {
    entry_.image_url = address;
  }
}

void FeedReader::TakePicture(std::string_view name, const XmlAttributes& attributes) {
  const std::string address = Cleaned(attributes.Find("url"));
  if (name == "media:thumbnail") {
    if (parts_.thumbnail.empty()) parts_.thumbnail = address;
    return;
  }
  const auto type = attributes.Find("type");
  const bool is_image = type.starts_with("image/") || (name == "media:content" && attributes.Find("medium") == "image");
  if (is_image && entry_.image_url.empty()) entry_.image_url = address;
}

bool FeedReader::IsField(std::string_view name) const {
  if (entry_depth_ == 0) {
    const bool of_feed = path_.size() == (path_.front() == "atom:feed" ? 2 : 3);
    return (of_feed && (name == "language" || name == "dc:language")) ||
           (path_.size() == 3 && path_[1] == "atom:author" && name == "atom:name");
  }
  if (name == "atom:name") return Parent() == "atom:author" && path_.size() == entry_depth_ + 2;
  return path_.size() == entry_depth_ + 1 && std::ranges::find(kFeedFields, name) != std::end(kFeedFields);
}

void FeedReader::OnText(std::string_view text) {
  if (field_depth_ > 0) text_.Add(text);
}

void FeedReader::SetFeedField(const std::string& text) {
  if (path_.back() == "atom:name") return AddLabel(text, authors_);
  if (language_.empty()) language_ = text;
}

void FeedReader::SetField(const std::string& text) {
  if (entry_depth_ == 0) return SetFeedField(text);
  const std::string& name = path_.back();
  const auto set_first = [&text](std::string& field) {
    if (field.empty()) field = text;
  };
  if (name == "title" || name == "dc:title") set_first(entry_.title);
  if (name == "atom:title") set_first(entry_.title);
  if (name == "link") set_first(entry_.link);
  if (name == "guid" || name == "atom:id") entry_.guid = text;
  if (name == "pubDate" || name == "atom:published") entry_.published = text;
  if (name == "atom:updated" || name == "dc:date") set_first(parts_.updated);
  if (name == "author" || name == "atom:name") AddLabel(NameOfAuthor(text), entry_.authors);
  if (name == "dc:creator") AddLabel(text, parts_.creators);
  if (name == "category" || name == "dc:subject") AddLabel(PlainText(text, false), entry_.categories);
  if (name == "dc:language") set_first(entry_.language);
}

absl::Status FeedReader::EndOfEntry() {
  // Feeds escape the references of HTML once more, so a title may still contain them.
  entry_.title = WithSingleBlanks(PlainText(entry_.title, parts_.title_is_html));
  if (entry_.link.empty() && parts_.guid_is_link && IsWebAddress(entry_.guid)) entry_.link = entry_.guid;
  if (entry_.published.empty()) entry_.published = parts_.updated;
  if (entry_.image_url.empty()) entry_.image_url = parts_.thumbnail;
  // An author of RSS is an address, so names are better.
  if (!parts_.creators.empty()) entry_.authors = std::move(parts_.creators);
  if (entry_.authors.empty()) entry_.authors = authors_;
  if (entry_.language.empty()) entry_.language = language_;
  return on_entry_(std::move(entry_));
}

absl::Status FeedReader::OnEnd(std::string_view) {
  absl::Status status;
  if (field_depth_ == path_.size()) {
    SetField(text_.Take());
    field_depth_ = 0;
  } else if (entry_depth_ == path_.size()) {
    status = EndOfEntry();
    entry_depth_ = 0;
  }
  path_.pop_back();
  finished_ |= path_.empty();
  return status;
}

}  // namespace viewcount::cli
