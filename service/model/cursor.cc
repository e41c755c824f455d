#include "service/model/cursor.h"

#include <fmt/format.h>

#include <charconv>

namespace viewcount {
namespace {

// Removes a number and the space after it from the front of `text`, and returns the number.
std::optional<Position> TakePosition(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  text.remove_prefix(end - text.data());
  if (!text.empty()) {
    if (text.front() != ' ') return std::nullopt;
    text.remove_prefix(1);
  }
  return Position{value};
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

Cursor Cursor::End(Position to) {
  Cursor cursor;
  cursor.to_ = to;
  return cursor;
}

Cursor Cursor::Middle(Position from, Position to, ArticleKey last, Position as_of) {
  Cursor cursor;
  cursor.in_middle_ = true;
  cursor.from_ = from;
  cursor.to_ = to;
  cursor.as_of_ = as_of;
  cursor.last_site_ = last.site;
  cursor.last_article_ = last.article_id;
  return cursor;
}

ArticleKey Cursor::last() const { return {last_site_, last_article_}; }

bool Cursor::Covers(Position chunk_to, ArticleKey key) const {
  if (!in_middle_) return chunk_to <= to_;
  if (chunk_to == to_) return key <= last();
  return chunk_to <= from_;
}

std::string Cursor::ToString() const {
  if (!in_middle_) return fmt::format("END {}", to_.value);
  return fmt::format("MID {} {} {}/{} {}", from_.value, to_.value, last_site_, last_article_, as_of_.value);
}

std::optional<Cursor> Cursor::Parse(std::string_view text) {
  if (TakePrefix(text, "END ")) {
    const auto to = TakePosition(text);
    if (!to || !text.empty()) return std::nullopt;
    return End(*to);
  }
  if (!TakePrefix(text, "MID ")) return std::nullopt;
  const auto from = TakePosition(text);
  const auto to = from ? TakePosition(text) : std::nullopt;
  // An article's ID may contain spaces and slashes, but a site's name contains neither. As-of follows the last space.
  const size_t slash = text.find('/');
  const size_t space = text.rfind(' ');
  if (!to || slash == std::string_view::npos || space == std::string_view::npos || space < slash) return std::nullopt;
  std::string_view as_of_text = text.substr(space + 1);
  const auto as_of = TakePosition(as_of_text);
  if (!as_of || !as_of_text.empty()) return std::nullopt;
  return Middle(*from, *to, {text.substr(0, slash), text.substr(slash + 1, space - slash - 1)}, *as_of);
}

std::strong_ordering Cursor::operator<=>(const Cursor& other) const {
  if (const auto order = applied_to() <=> other.applied_to(); order != 0) return order;
  if (in_middle_ != other.in_middle_) return in_middle_ <=> other.in_middle_;
  if (!in_middle_) return std::strong_ordering::equal;
  return last() <=> other.last();
}

}  // namespace viewcount
