// Properties of the rule for addresses, tried with random addresses.
#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <utf8proc.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "service/addresses/article_rule.h"
#include "service/base/text.h"

namespace viewcount {
namespace {

constexpr int kCases = 20'000;

const std::vector<ArticleRuleSettings>& Rules() {
  static const std::vector<ArticleRuleSettings> rules = {
      {},
      {.drop_query = true},
      {.fold_case = true},
      {.strip_trailing_slash = true, .index_names = {"index.html"}},
      {.parameters = {"a", "Tin"}, .fold_case = true, .strip_trailing_slash = true, .index_names = {"index.html", "a"}},
  };
  return rules;
}

template <typename List>
auto Pick(const List& list, std::mt19937_64& random) {
  return list[random() % std::size(list)];
}

// Returns an address of pieces that a rule treats in different ways.
std::string RandomAddress(std::mt19937_64& random) {
  static const std::vector<std::string> pieces = {"/",
                                                  "/",
                                                  "a",
                                                  "A",
                                                  "id=1",
                                                  "?",
                                                  "&",
                                                  "=",
                                                  "#",
                                                  ";jsessionid=1",
                                                  "%",
                                                  "%2e",
                                                  "%2F",
                                                  "%e1",
                                                  "%bb",
                                                  "%a9",
                                                  "\xE1",
                                                  "\xBB",
                                                  "\xA9",
                                                  "%CC%81",
                                                  "̀",
                                                  "ứ",
                                                  "Ứ",
                                                  "%3E",
                                                  "%3",
                                                  "E",
                                                  "index.html",
                                                  "(S(a))",
                                                  "(",
                                                  ")",
                                                  ".",
                                                  "..",
                                                  "/..",
                                                  "/.",
                                                  " ",
                                                  "\\",
                                                  "+",
                                                  "amp;",
                                                  "utm_source=x",
                                                  "tin=3",
                                                  "İ",
                                                  "ǰ",
                                                  "J̌",
                                                  "≠",
                                                  "=\xCC\xB8",
                                                  "%CD%BE",
                                                  "`",
                                                  "%E1%BF%AF",
                                                  "한",
                                                  "ᄒ",
                                                  "ᅡ",
                                                  "😀",
                                                  "\xC2\xA0",
                                                  "%00",
                                                  "\t",
                                                  "Σ",
                                                  "ς",
                                                  "ﬁ",
                                                  "Ω",
                                                  "//"};
  std::string address = random() % 4 == 0 ? "https://a.example/" : "/";
  for (size_t left = random() % 14; left > 0; --left) address += Pick(pieces, random);
  return address;
}

TEST(SpellingTest, TheNormalFormIsIdempotent) {
  std::mt19937_64 random(1);
  size_t named = 0;
  for (const ArticleRuleSettings& settings : Rules()) {
    const ArticleRule rule = *ArticleRule::Make(settings);
    for (int i = 0; i < kCases; ++i) {
      const std::string address = RandomAddress(random);
      for (const AddressKind kind : {AddressKind::kRequested, AddressKind::kCanonical}) {
        const auto once = rule.Name(address, kind);
        if (!once.ok()) continue;
        ++named;
        ASSERT_TRUE(IsArticleId(once->article_id)) << address;
        const auto again = rule.Name(once->article_id, kind);
        ASSERT_TRUE(again.ok()) << address;
        ASSERT_EQ(again->article_id, once->article_id) << address;
        ASSERT_EQ(again->excluded, once->excluded) << address;
      }
    }
  }
  EXPECT_GT(named, size_t{kCases});
}

std::string Decomposed(const std::string& text) {
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> decomposed(
      utf8proc_NFD(reinterpret_cast<const utf8proc_uint8_t*>(text.c_str())), &std::free);
  return reinterpret_cast<const char*>(decomposed.get());
}

// Returns another spelling of a path that has no escapes.
std::string Respelled(const std::string& path, std::mt19937_64& random) {
  std::string text = random() % 2 == 0 ? Decomposed(path) : path;
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool may_escape = byte >= 0x80 || absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~';
    if (c == '/' && random() % 6 == 0) out += "/.";
    if (c == '/' && random() % 6 == 0) out += "/x/..";
    if (may_escape && random() % 3 == 0) {
      out += random() % 2 == 0 ? fmt::format("%{:02X}", byte) : fmt::format("%{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

TEST(SpellingTest, EverySpellingNamesOneArticle) {
  static const std::vector<std::string> words = {"tin", "tức", "bài-1", "Điện", "e1", "x_y", "a.b", "你好", "é", "ữ~"};
  static const std::vector<std::string> queries = {"", "?", "?utm_source=zalo", "?fbclid=1&utm_medium=x", "?other=1"};
  static const std::vector<std::string> ends = {"", "#", "#cmt", ";jsessionid=0A1B.node"};
  std::mt19937_64 random(2);
  const ArticleRule rule;
  for (int i = 0; i < kCases; ++i) {
    std::string path;
    for (size_t left = 1 + random() % 3; left > 0; --left) path += "/" + Pick(words, random);
    const bool by_query = random() % 3 == 0;
    const std::string id = by_query ? path + "?id=17" : path;
    std::string query = Pick(queries, random);
    if (by_query) query += (query.empty() ? "?" : "&") + std::string(random() % 2 == 0 ? "iD=17" : "%69d=%317");
    const std::string host = random() % 2 == 0 ? "https://news.example.org" : "";
    const std::string end = Pick(ends, random);
    std::string address = host + Respelled(path, random);
    address += end.starts_with(';') ? end + query : query + end;
    const auto named = rule.Name(address);
    ASSERT_TRUE(named.ok()) << address << ": " << named.status();
    ASSERT_EQ(named->article_id, id) << address;
  }
}

}  // namespace
}  // namespace viewcount
