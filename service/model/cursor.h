// A cursor is the progress of a lane in a shard: the last chunk that was applied, and how far into it.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

// The place of an article in a chunk's order: by site name, then by ID, bytewise. Does not own the texts.
struct ArticleKey {
  std::string_view site;
  std::string_view article_id;

  auto operator<=>(const ArticleKey&) const = default;
};

// An immutable value that may be copied and compared. Thread-safe, except for assignment. It is stored as the text `END
// to` or `MID from to site/article as-of`. A part is applied only if its expected cursor equals the stored one.
//
// As-of is the journal position up to which the fold knew the journal's skips and limits (docs/PROTOCOL.md,
// "Cursors"). With it a chunk is resumed by exactly the fold that began it.
class Cursor {
 public:
  // Everything up to `to` is applied. The default, END 0, is the cursor of a lane that never applied anything.
  Cursor() = default;
  static Cursor End(Position to);
  // In the chunk (from, to], every article up to and including `last` is applied.
  static Cursor Middle(Position from, Position to, ArticleKey last, Position as_of);

  bool in_middle() const { return in_middle_; }
  // The start of the chunk that is being applied. Meaningful only if in_middle().
  Position from() const { return from_; }
  Position to() const { return to_; }
  Position as_of() const { return as_of_; }
  // The result is valid as long as the cursor. Meaningful only if in_middle().
  ArticleKey last() const;
  // Every chunk up to this position is applied completely.
  Position applied_to() const { return in_middle_ ? from_ : to_; }

  // Returns whether `key` of the chunk that ends at `chunk_to` is applied. Chunks of one lane do not overlap.
  bool Covers(Position chunk_to, ArticleKey key) const;

  std::string ToString() const;
  // Returns nothing if the text is not a cursor.
  static std::optional<Cursor> Parse(std::string_view text);

  bool operator==(const Cursor&) const = default;
  // Orders by progress. Valid for two cursors of one lane whose history was not rolled back between them.
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
