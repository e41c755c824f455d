// Reads feeds: RSS 0.9 to 2.0, RSS 1.0 in RDF, and Atom (RFC 4287), with Dublin Core and Media RSS.
#pragma once

#include <absl/status/status.h>

#include <string>
#include <vector>

#include "client/cli/feed_entry.h"
#include "client/cli/xml_reader.h"

namespace viewcount::cli {

// Not thread-safe.
class FeedReader : public XmlHandler {
 public:
  explicit FeedReader(EntrySink on_entry) : on_entry_(std::move(on_entry)) {}

  absl::Status OnStart(std::string_view name, const XmlAttributes& attributes) override;
  void OnText(std::string_view text) override;
  absl::Status OnEnd(std::string_view name) override;

  // True once the root element was one of a feed.
  bool understood() const { return !path_.empty() || finished_; }

 private:
  // Parts that an entry may have in several places. The best one is taken at the end of the entry.
  struct Parts {
    std::vector<std::string> creators = {};
    std::string updated = {};
    std::string thumbnail = {};
    bool guid_is_link = true;
    bool title_is_html = false;
  };

  bool IsEntry(std::string_view name) const;
  // The name of the element around the last one, or an empty text.
  std::string_view Parent() const;
  // True directly in an entry, and in a group of pictures.
  bool IsDirect() const;
  void TakeAttributes(std::string_view name, const XmlAttributes& attributes);
  void TakeLink(const XmlAttributes& attributes);
  void TakePicture(std::string_view name, const XmlAttributes& attributes);
  bool IsField(std::string_view name) const;
  void SetField(const std::string& text);
  // Stores a text of the feed itself.
  void SetFeedField(const std::string& text);
  absl::Status EndOfEntry();

  const EntrySink on_entry_;
  // The names of the open elements.
  std::vector<std::string> path_;
  bool finished_ = false;
  // The depth of the open entry, or 0.
  size_t entry_depth_ = 0;
  // The depth of the field that is being read, or 0.
  size_t field_depth_ = 0;
  std::string language_;
  std::vector<std::string> authors_;
  FeedEntry entry_;
  Parts parts_;
  ElementText text_;
};

}  // namespace viewcount::cli
