// Tests which user agents are recognised as bots, with agents that were observed and with malicious ones.
#include "service/visitors/bot_patterns.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <random>

#include "service/base/limits.h"
#include "tests/support/agent_lists.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

constexpr char kChrome[] =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

const BotPatterns& Patterns() {
  static const BotPatterns patterns;
  return patterns;
}

// Expects the same verdict for an agent and for the beginning of it that is examined.
void ExpectVerdictOfItsBeginning(const std::string& agent, bool expected) {
  ASSERT_GT(agent.size(), limits::kAgentBytesMax);
  EXPECT_EQ(Patterns().IsBot(agent), expected);
  EXPECT_EQ(Patterns().IsBot(agent.substr(0, limits::kAgentBytesMax)), expected);
}

TEST(BotPatterns, NearlyAllExamplesOfTheListAreBots) {
  const auto agents = CrawlerAgents();
  ASSERT_GT(agents.size(), 2'000u);
  const auto found =
      std::count_if(agents.begin(), agents.end(), [](const std::string& agent) { return Patterns().IsBot(agent); });
  std::printf("%zd of %zu\n", found, agents.size());
  EXPECT_GE(static_cast<double>(found), 0.99 * static_cast<double>(agents.size()));
}

TEST(BotPatterns, HardlyAnyBrowserOfPeopleIsOne) {
  BrowserAgents browsers;
  std::mt19937_64 random(TestSeed());
  int found = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string& agent = browsers.Draw(random);
    if (!Patterns().IsBot(agent)) continue;
    std::printf("taken for a bot: %s\n", agent.c_str());
    ++found;
  }
  EXPECT_LE(found, 10);
}

TEST(BotPatterns, HeadlessBrowsersAreBots) {
  for (const char* agent :
       {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessEdg/126.0.0.0",
        "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:59.0) Gecko/20100101 Firefox/59.0 SlimerJS/1.0.0",
        "Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/24.1.0"}) {
    EXPECT_TRUE(Patterns().IsBot(agent)) << agent;
  }
}

TEST(BotPatterns, BrowsersThatAProgramDrivesAreBots) {
  for (const char* mark : {"Puppeteer", "Playwright/1.45.0", "Selenium", "WebDriver/1.0"}) {
    EXPECT_TRUE(Patterns().IsBot(std::string(kChrome) + " " + mark)) << mark;
  }
}

TEST(BotPatterns, LibrariesAndCommandsAreBots) {
  for (const char* agent : {"curl/7.88.1", "Wget/1.21.3", "python-requests/2.31.0", "Go-http-client/1.1",
                            "Apache-HttpClient/4.5.14 (Java/17.0.9)", "okhttp/4.12.0", "axios/1.7.2"}) {
    EXPECT_TRUE(Patterns().IsBot(agent)) << agent;
  }
}

TEST(BotPatterns, ProgramsThatPeopleReadInAreNot) {
  for (const char* agent :
       {kChrome,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Reader/1.0.0 "
        "Chrome/126.0.0.0 Electron/31.0.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
        "Chrome/126.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/470.0.0.0;]",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
        "Zalo iOS/24060 ZaloTheme/light ZaloLanguage/vi",
        "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"}) {
    EXPECT_FALSE(Patterns().IsBot(agent)) << agent;
  }
}

TEST(BotPatterns, AnAbsentAgentIsNoBots) {
  EXPECT_FALSE(Patterns().IsBot(""));
  EXPECT_FALSE(Patterns().IsBot({}));
  // A pattern that matches the empty text does not make an absent agent a bot.
  EXPECT_FALSE(BotPatterns({"a*"}).IsBot(""));
}

TEST(BotPatterns, ExpressionsMeanWhatTheyDoInJavaScript) {
  const BotPatterns patterns({"^one", "two$", "thr(ee|ow)", "f[\\s\\S]*ve", "s\\/x\\.", "(^| )sev\\/"});
  for (const char* agent :
       {"one", "one b", "a two", "a three b", "throw", "five", "f\n\xFFve", "as/x.", "sev/", "a sev/"}) {
    EXPECT_TRUE(patterns.IsBot(agent)) << agent;
  }
  for (const char* agent : {"a one", "a\none", "two b", "two\n", "thre", "evf", "s/xy", "s\\/x\\.", "asev/", "ONE"}) {
    EXPECT_FALSE(patterns.IsBot(agent)) << agent;
  }
}

TEST(PlainText, IsWhatAPatternWithoutOperatorsStandsFor) {
  EXPECT_EQ(PlainText("Googlebot\\/"), "Googlebot/");
  EXPECT_EQ(PlainText("a\\.b\\+c d-e"), "a.b+c d-e");
  EXPECT_EQ(PlainText("\\\\\\[\\$"), "\\[$");
  for (const char* expression : {"^a", "a$", "a.b", "a*", "a+", "a?", "(a)", "[ab]", "a{2}", "a|b", "\\d", "\\1", "\\b",
                                 "a\\", "a]", "a}", "a)"}) {
    EXPECT_EQ(PlainText(expression), std::nullopt) << expression;
  }
}

// Tries each pattern separately, as the list's own tests do.
class OneByOne {
 public:
  OneByOne() {
    for (const std::string_view pattern : CrawlerPatterns()) {
      expressions_.push_back(std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), RE2::Latin1));
      EXPECT_TRUE(expressions_.back()->ok()) << pattern;
    }
    EXPECT_GT(expressions_.size(), 1'000u);
  }

  bool IsBot(const std::string& agent) const {
    return std::any_of(expressions_.begin(), expressions_.end(),
                       [&](const auto& expression) { return RE2::PartialMatch(agent, *expression); });
  }

 private:
  std::vector<std::unique_ptr<RE2>> expressions_;
};

// Returns an agent in which some bytes are changed or missing. It is often no longer recognised as a bot.
std::string Damaged(std::string agent, std::mt19937_64& random) {
  for (int i = 0; i < 3; ++i) {
    agent[random() % agent.size()] = static_cast<char>(random());
    if (random() % 2 == 0) agent.erase(random() % agent.size(), 1 + random() % 4);
  }
  return agent;
}

// Returns beginnings of patterns one after another, up to the length that is examined.
std::string NearMisses(std::mt19937_64& random) {
  static const auto patterns = CrawlerPatterns();
  std::string agent;
  while (agent.size() < limits::kAgentBytesMax) {
    const std::string_view pattern = patterns[random() % patterns.size()];
    agent.append(pattern.substr(0, random() % pattern.size()));
    agent.push_back(static_cast<char>(random()));
  }
  return agent.substr(0, limits::kAgentBytesMax);
}

TEST(BotPatterns, TogetherSayWhatEachForItselfSays) {
  const OneByOne one_by_one;
  const BotPatterns together(CrawlerPatterns());
  std::mt19937_64 random(TestSeed());
  const auto crawlers = CrawlerAgents();
  int bots = 0;
  for (int i = 0; i < 300; ++i) {
    std::string agent;
    while (agent.size() < 16) agent = crawlers[random() % crawlers.size()];
    agent = i % 3 == 0 ? NearMisses(random) : Damaged(agent, random);
    const bool expected = one_by_one.IsBot(agent);
    ASSERT_EQ(together.IsBot(agent), expected) << agent;
    bots += expected ? 1 : 0;
  }
  std::printf("%d of 300 are bots'\n", bots);
}

// RE2 may have to create and discard many states for the agents in between. That must not change other verdicts.
TEST(BotPatterns, StrangeAgentsDoNotChangeWhatIsSaidOfOthers) {
  const BotPatterns patterns;
  std::mt19937_64 random(TestSeed());
  for (int i = 0; i < 3'000; ++i) {
    patterns.IsBot(NearMisses(random));
    ASSERT_FALSE(patterns.IsBot(kChrome));
    ASSERT_TRUE(patterns.IsBot("Mechanize/2.7"));
  }
}

TEST(BotPatterns, OnlyTheBeginningOfALongAgentCounts) {
  const std::string long_agent = kChrome + std::string(64 << 10, 'a');
  ExpectVerdictOfItsBeginning(long_agent, false);
  ExpectVerdictOfItsBeginning(long_agent + " Googlebot/2.1", false);
  ExpectVerdictOfItsBeginning("Googlebot/2.1 " + long_agent, true);
  const std::string mark = "HeadlessChrome";
  std::string at_the_end(limits::kAgentBytesMax - mark.size(), 'a');
  ExpectVerdictOfItsBeginning(at_the_end + mark + long_agent, true);
  ExpectVerdictOfItsBeginning("a" + at_the_end + mark.substr(0, 8) + long_agent, true);
  ExpectVerdictOfItsBeginning(std::string(limits::kAgentBytesMax - 7, 'a') + mark + long_agent, false);
}

TEST(BotPatterns, BytesThatAreNoUtf8ChangeNothing) {
  for (const char* bytes : {"\xFF\xFE", "\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80\x80", "B\xE1o"}) {
    EXPECT_FALSE(Patterns().IsBot(bytes));
    EXPECT_FALSE(Patterns().IsBot(kChrome + std::string(bytes)));
    EXPECT_TRUE(Patterns().IsBot(bytes + std::string("Googlebot/2.1") + bytes));
    // This agent is matched by an expression.
    EXPECT_TRUE(Patterns().IsBot("ContextualBot" + std::string(bytes) + "outcomes.net"));
  }
  EXPECT_TRUE(Patterns().IsBot(std::string("a\0Googlebot/2.1", 15)));
}

// These agents make a backtracking matcher run almost endlessly. The time limit of the test would detect that.
TEST(BotPatterns, BaitForExpressionsIsNoMoreWorkThanOtherAgents) {
  const auto repeated = [](std::string_view piece) {
    std::string text;
    while (text.size() < 64 << 10) text += piece;
    return text;
  };
  for (const char* piece :
       {"a", "ContextualBo", "Spide", "Current", "Current RSS Reade", "BlogTraffic/1.", "Ahrefs", "AdsBot-Google-", " ",
        "\n", "\xFF", "GoogleAssociationService", "SSL Labs", "Googlebot", "Mozilla/5.0 (", "(((((", "[^-]*"}) {
    const std::string agent = repeated(piece);
    const bool is_bot = Patterns().IsBot(agent.substr(0, limits::kAgentBytesMax));
    for (int i = 0; i < 1'000; ++i) ASSERT_EQ(Patterns().IsBot(agent), is_bot) << piece;
  }
}

}  // namespace
}  // namespace viewcount
