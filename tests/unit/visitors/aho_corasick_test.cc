// Compares the automaton with a separate search for each literal.
#include "service/visitors/aho_corasick.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/seed.h"

namespace viewcount {
namespace {

TEST(AhoCorasick, FindsALiteralAnywhere) {
  const AhoCorasick finder({"bot", "Spider"});
  for (const char* text : {"bot", "Spider", "a bot", "bots", "robots", "botSpider", "bobot", "SpidSpider"}) {
    EXPECT_TRUE(finder.IsIn(text)) << text;
  }
  for (const char* text : {"", "b", "bo", "bo t", "Bot", "spider", "Spide", "pider", "bospider", "boSpidebo"}) {
    EXPECT_FALSE(finder.IsIn(text)) << text;
  }
}

TEST(AhoCorasick, FindsWhatEndsWithinABeginning) {
  const AhoCorasick finder({"abcd", "bce", "c f"});
  EXPECT_TRUE(finder.IsIn("abce"));
  EXPECT_TRUE(finder.IsIn("abc f"));
  EXPECT_FALSE(finder.IsIn("abc"));
  // The literal is inside a longer one.
  EXPECT_TRUE(AhoCorasick({"xboty", "bot"}).IsIn("xbotz"));
  EXPECT_TRUE(AhoCorasick({"bot", "bots"}).IsIn("bot"));
}

TEST(AhoCorasick, WithoutLiteralsFindsNothing) {
  const AhoCorasick finder({});
  EXPECT_FALSE(finder.IsIn(""));
  EXPECT_FALSE(finder.IsIn("a bot"));
}

TEST(AhoCorasick, LiteralsMayHaveAnyByte) {
  std::string every;
  for (int c = 1; c < 256; ++c) every.push_back(static_cast<char>(c));
  const AhoCorasick finder({every, std::string("\xFF\xFE")});
  EXPECT_TRUE(finder.IsIn("a" + every));
  EXPECT_TRUE(finder.IsIn("\xC3\xFF\xFE"));
  EXPECT_FALSE(finder.IsIn("\xFE\xFF"));
  EXPECT_FALSE(finder.IsIn(std::string("\xFF\0\xFE", 3)));
}

// The texts have few different letters, so that literals overlap in every possible way.
TEST(AhoCorasick, FindsWhatLookingForEachFinds) {
  std::mt19937_64 random(TestSeed());
  const auto word = [&](size_t length_max) {
    std::string text(1 + random() % length_max, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    return text;
  };
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::string> literals(1 + random() % 8);
    for (auto& literal : literals) literal = word(7);
    const AhoCorasick finder(literals);
    for (int i = 0; i < 20; ++i) {
      const std::string text = word(12);
      const bool expected = std::any_of(literals.begin(), literals.end(), [&](const std::string& literal) {
        return text.find(literal) != std::string::npos;
      });
      ASSERT_EQ(finder.IsIn(text), expected) << text << " in round " << round;
    }
  }
}

}  // namespace
}  // namespace viewcount
