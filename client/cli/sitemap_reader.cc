#include "client/cli/sitemap_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace viewcount::cli {
namespace {

// The elements whose texts are read.
constexpr std::string_view kSitemapFields[] = {"loc",           "lastmod",       "news:title", "news:publication_date",
                                               "news:language", "news:keywords", "image:loc"};

void AddKeywords(std::string_view text, std::vector<std::string>& tags) {
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    AddLabel(WithSingleBlanks(text.substr(0, comma)), tags);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
}

}  // namespace

absl::Status SitemapReader::CheckRoot(std::string_view name) const {
  if (name == "urlset" || name == "sitemapindex") return absl::OkStatus();
  const bool is_feed = name == "rss" || name == "atom:feed" || name == "rdf:RDF";
  return absl::InvalidArgumentError(
      fmt::format("the element {} begins no sitemap{}", name, is_feed ? "; this is a feed, which --feed reads" : ""));
}

bool SitemapReader::IsIn(std::string_view name) const { return path_.size() >= 2 && path_[1] == name; }

absl::Status SitemapReader::OnStart(std::string_view name, const XmlAttributes& attributes) {
  if (path_.empty()) {
    if (auto status = CheckRoot(name); !status.ok()) return status;
    is_index_ = name == "sitemapindex";
  }
  path_.emplace_back(name);
  if (path_.size() == 2) entry_ = {.line = attributes.line()};
  // A picture's address has the same local name as that of the page, but another namespace.
  const bool is_direct = path_.size() == 3 || (name != "loc" && name != "lastmod");
  const bool wanted = std::ranges::find(kSitemapFields, name) != std::end(kSitemapFields);
  if (field_depth_ == 0 && wanted && is_direct && IsIn(is_index_ ? "sitemap" : "url")) field_depth_ = path_.size();
  return absl::OkStatus();
}

void SitemapReader::OnText(std::string_view text) {
  if (field_depth_ > 0) text_.Add(text);
}

void SitemapReader::SetField(const std::string& text) {
  const std::string& name = path_.back();
  const auto set_first = [&text](std::string& field) {
    if (field.empty()) field = text;
  };
  if (name == "loc") set_first(entry_.link);
  if (name == "lastmod") set_first(entry_.last_modified);
  if (name == "news:title") set_first(entry_.title);
  if (name == "news:publication_date") set_first(entry_.published);
  if (name == "news:language") set_first(entry_.language);
  if (name == "image:loc") set_first(entry_.image_url);
  if (name == "news:keywords") AddKeywords(text, entry_.tags);
}

absl::Status SitemapReader::EndOfEntry() {
  if (is_index_ && IsIn("sitemap")) return on_child_(std::move(entry_.link));
  if (!is_index_ && IsIn("url")) return on_entry_(std::move(entry_));
  return absl::OkStatus();
}

absl::Status SitemapReader::OnEnd(std::string_view) {
  absl::Status status;
  if (field_depth_ == path_.size()) {
    SetField(text_.Take());
    field_depth_ = 0;
  } else if (path_.size() == 2) {
    status = EndOfEntry();
  }
  path_.pop_back();
  finished_ |= path_.empty();
  return status;
}

}  // namespace viewcount::cli
