// Reads sitemaps (https://www.sitemaps.org/protocol.html), with the extensions for news and images, and their indexes.
#pragma once

#include <absl/status/status.h>

#include <functional>
#include <string>
#include <vector>

#include "client/cli/feed_entry.h"
#include "client/cli/xml_reader.h"

namespace viewcount::cli {

// Not thread-safe.
class SitemapReader : public XmlHandler {
 public:
  // Takes the address of a sitemap that an index names.
  using ChildSink = std::function<absl::Status(std::string)>;
  SitemapReader(EntrySink on_entry, ChildSink on_child)
      : on_entry_(std::move(on_entry)), on_child_(std::move(on_child)) {}

  absl::Status OnStart(std::string_view name, const XmlAttributes& attributes) override;
  void OnText(std::string_view text) override;
  absl::Status OnEnd(std::string_view name) override;

  // True once the root element was one of a sitemap or an index.
  bool understood() const { return !path_.empty() || finished_; }

 private:
  absl::Status CheckRoot(std::string_view name) const;
  bool IsIn(std::string_view name) const;
  // Stores the text of the field that ends.
  void SetField(const std::string& text);
  absl::Status EndOfEntry();

  const EntrySink on_entry_;
  const ChildSink on_child_;
  // The names of the open elements.
  std::vector<std::string> path_;
  bool finished_ = false;
  bool is_index_ = false;
  FeedEntry entry_;
  // The depth of the field that is being read, or 0.
  size_t field_depth_ = 0;
  ElementText text_;
};

}  // namespace viewcount::cli
