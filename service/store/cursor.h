// What a shard remembers of a lane: the last chunk applied and how far into it.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

// The place of an article in a chunk's order: by site name, then by ID, bytewise. Points into memory of others.
struct ArticleKey {
  std::string_view site;
  std::string_view article_id;

  auto operator<=>(const ArticleKey&) const = default;
};

// Regular. Stored as text, `END to` or `MID from to site/article as-of`; compared for equality when a part is applied.
//
// As-of is the position up to which the fold knew the journal's skips and limits (docs/PROTOCOL.md, "Cursors"), so that
// a chunk is resumed by the very fold that began it.
class Cursor {
 public:
  // Everything up to `to` is applied. The default, END 0, is that of a lane that never applied anything.
  Cursor() = default;
  static Cursor End(Position to);
  // Of the chunk (from, to] everything up to and including `last` is applied.
  static Cursor Middle(Position from, Position to, ArticleKey last, Position as_of);

  bool in_middle() const { return in_middle_; }
  // Of the chunk under way; only in the middle.
  Position from() const { return from_; }
  Position to() const { return to_; }
  Position as_of() const { return as_of_; }
  // Valid as long as the cursor; only in the middle.
  ArticleKey last() const;
  // Everything up to here is applied whole.
  Position applied_to() const { return in_middle_ ? from_ : to_; }

  // Whether `key` of the chunk that ends at `chunk_to` is applied. Chunks of one lane do not overlap.
  bool Covers(Position chunk_to, ArticleKey key) const;

  std::string ToString() const;
  // Nothing if the text is no cursor.
  static std::optional<Cursor> Parse(std::string_view text);

  bool operator==(const Cursor&) const = default;
  // By progress, for two cursors of one lane whose history was not rolled back between them.
  std::strong_ordering operator<=>(const Cursor& other) const;

 private:
  bool in_middle_ = false;
  Position from_;
  Position to_;
  Position as_of_;
  std::string last_site_;
  std::string last_article_;
};

}  // namespace viewcount
