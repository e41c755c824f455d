#include "service/web/digit_grouping.h"

#include <array>
#include <cctype>

namespace viewcount {
namespace {

struct Languages {
  DigitGrouping grouping;
  // Tags in lower case, each between blanks.
  std::string_view tags;
};

// From the Unicode CLDR 44, so that pictures have the numbers that browsers write into the same page.
constexpr std::array<Languages, 8> kLanguages = {{
    {{.separator = ","}, " ar cy en es-419 es-mx es-us fil ga he ja km kn ko mn ms si sw th tl ur zh zu "},
    {{.separator = "."}, " az bs ca da de el eu gl hr id is lo mk nl pt ro sr tr vi "},
    {{.separator = ".", .digits_min = 5}, " es it sl "},
    {{.separator = "\u00A0"}, " cs de-at en-za fi fr-ca kk ky lt nb nn no ru sk sv uk uz "},
    {{.separator = "\u00A0", .digits_min = 5}, " be bg et hu hy ka lv pl pt-pt sq "},
    {{.separator = "\u202F"}, " fr "},
    {{.separator = "'"}, " de-ch de-li en-ch "},
    {{.separator = ",", .group = 2}, " en-in gu hi ml pa ta te "},
}};

const DigitGrouping* Find(std::string_view tag) {
  const std::string entry = " " + std::string(tag) + " ";
  for (const Languages& languages : kLanguages) {
    if (languages.tags.find(entry) != std::string_view::npos) return &languages.grouping;
  }
  return nullptr;
}

}  // namespace

std::optional<DigitGrouping> DigitGroupingOf(std::string_view language) {
  std::string tag;
  for (const char c : language) {
    if (c == ' ') return std::nullopt;
    tag += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const DigitGrouping* grouping = Find(tag);
  if (grouping == nullptr) grouping = Find(tag.substr(0, tag.find('-')));
  return grouping == nullptr ? std::nullopt : std::optional(*grouping);
}

std::string Grouped(uint64_t number, const DigitGrouping& grouping) {
  std::string text = std::to_string(number);
  if (text.size() < grouping.digits_min) return text;
  for (size_t at = text.size(), size = 3; at > size; size = grouping.group) {
    at -= size;
    text.insert(at, grouping.separator);
  }
  return text;
}

}  // namespace viewcount
