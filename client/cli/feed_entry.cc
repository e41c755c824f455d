#include "client/cli/feed_entry.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "service/base/text.h"

namespace viewcount::cli {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n\f\v";
// The longest reference that is decoded: &#1114111;
constexpr size_t kReferenceBytesMax = 10;

void AppendUtf8(uint32_t character, std::string& text) {
  const auto add = [&text](uint32_t byte) { text += static_cast<char>(byte); };
  const auto tail = [&](int shift) { add(0x80 | ((character >> shift) & 0x3F)); };
  if (character < 0x80) return add(character);
  if (character < 0x800) {
    add(0xC0 | (character >> 6));
    return tail(0);
  }
  if (character < 0x1'0000) {
    add(0xE0 | (character >> 12));
    tail(6);
    return tail(0);
  }
  add(0xF0 | (character >> 18));
  tail(12);
  tail(6);
  tail(0);
}

// Returns the character of a reference without & and ;.
std::optional<uint32_t> ReferencedCharacter(std::string_view name) {
  constexpr std::pair<std::string_view, uint32_t> kNames[] = {{"amp", '&'},  {"lt", '<'},    {"gt", '>'},
                                                              {"quot", '"'}, {"apos", '\''}, {"nbsp", 0xA0}};
  for (const auto& [known, character] : kNames) {
    if (name == known) return character;
  }
  if (name.size() < 2 || name[0] != '#') return std::nullopt;
  const bool hexadecimal = name[1] == 'x' || name[1] == 'X';
  const char* const first = name.data() + (hexadecimal ? 2 : 1);
  const char* const end = name.data() + name.size();
  uint32_t character = 0;
  const auto parsed = std::from_chars(first, end, character, hexadecimal ? 16 : 10);
  if (first == end || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  const bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
  if (character < 0x20 || is_surrogate || character > 0x10'FFFF) return std::nullopt;
  return character;
}

}  // namespace

void ElementText::Add(std::string_view piece) {
  if (text_.size() < kFeedTextBytesMax) text_.append(piece.substr(0, kFeedTextBytesMax - text_.size()));
}

std::string ElementText::Take() {
  // The limit may have cut a character.
  while (!text_.empty() && !IsUtf8(text_)) text_.pop_back();
  return WithSingleBlanks(std::exchange(text_, ""));
}

std::string WithSingleBlanks(std::string_view text) {
  std::string result;
  for (size_t at = text.find_first_not_of(kWhiteSpace); at != std::string_view::npos;
       at = text.find_first_not_of(kWhiteSpace, at)) {
    const size_t end = std::min(text.find_first_of(kWhiteSpace, at), text.size());
    if (!result.empty()) result += ' ';
    result.append(text.substr(at, end - at));
    at = end;
  }
  return result;
}

bool IsWebAddress(std::string_view text) {
  const absl::string_view start(text.data(), text.size());
  return absl::StartsWithIgnoreCase(start, "http://") || absl::StartsWithIgnoreCase(start, "https://");
}

void AddLabel(std::string label, std::vector<std::string>& list) {
  if (label.empty() || list.size() >= kFeedLabelsMax || std::ranges::find(list, label) != list.end()) return;
  list.push_back(std::move(label));
}

std::string PlainText(std::string_view html, bool tags) {
  std::string text;
  for (size_t at = 0; at < html.size();) {
    if (tags && html[at] == '<') {
      const size_t end = html.find('>', at);
      if (end != std::string_view::npos) {
        at = end + 1;
        continue;
      }
    }
    if (html[at] == '&') {
      const size_t end = html.substr(at, kReferenceBytesMax).find(';');
      const auto character =
          end == std::string_view::npos ? std::nullopt : ReferencedCharacter(html.substr(at + 1, end - 1));
      if (character) {
        AppendUtf8(*character, text);
        at += end + 1;
        continue;
      }
    }
    text += html[at++];
  }
  return text;
}

}  // namespace viewcount::cli
