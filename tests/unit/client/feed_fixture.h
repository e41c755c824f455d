// Reads sitemaps and feeds from texts, in pieces of any size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/cli/feed_reader.h"
#include "client/cli/sitemap_reader.h"
#include "client/cli/xml_reader.h"

namespace viewcount::cli {

// The result of reading one document.
struct ReadFeed {
  absl::Status status;
  std::vector<FeedEntry> entries;
  std::vector<std::string> children;
  bool understood = false;

  std::string message() const { return std::string(status.message()); }
};

inline absl::Status ReadInPieces(XmlHandler& handler, std::string_view document, size_t piece_bytes) {
  XmlReader reader(handler);
  while (!document.empty()) {
    const auto piece = document.substr(0, piece_bytes);
    if (auto status = reader.Read(piece); !status.ok()) return status;
    document.remove_prefix(piece.size());
  }
  return reader.Finish();
}

inline ReadFeed ReadSitemapText(std::string_view document, size_t piece_bytes = std::string_view::npos) {
  ReadFeed result;
  SitemapReader reader(
      [&](FeedEntry entry) {
        result.entries.push_back(std::move(entry));
        return absl::OkStatus();
      },
      [&](std::string child) {
        result.children.push_back(std::move(child));
        return absl::OkStatus();
      });
  result.status = ReadInPieces(reader, document, piece_bytes);
  result.understood = reader.understood();
  return result;
}

inline ReadFeed ReadFeedText(std::string_view document, size_t piece_bytes = std::string_view::npos) {
  ReadFeed result;
  FeedReader reader([&](FeedEntry entry) {
    result.entries.push_back(std::move(entry));
    return absl::OkStatus();
  });
  result.status = ReadInPieces(reader, document, piece_bytes);
  result.understood = reader.understood();
  return result;
}

}  // namespace viewcount::cli
