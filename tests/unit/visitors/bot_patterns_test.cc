// Tests which user agents are recognised as bots, with agents that were observed and with malicious ones.
#include "service/visitors/bot_patterns.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <memory>
#include <random>

#include "service/base/limits.h"
#include "service/visitors/agent_names.h"
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

TEST(BotPatterns, MonitorsHealthChecksAndFeedFetchersAreBots) {
  for (const char* agent :
       {"kube-probe/1.29",
        "ELB-HealthChecker/2.0",
        "GoogleHC/1.0",
        "Prometheus/2.53.0",
        "Blackbox Exporter/0.25.0",
        "check_http/v2.3.3 (monitoring-plugins 2.3.3)",
        "Zabbix",
        "Site24x7",
        "Better Uptime Bot",
        "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers)",
        "FreshRSS/1.24.1 (Linux; https://freshrss.org)",
        "Tiny Tiny RSS/24.06 (https://tt-rss.org/)",
        "Java/17.0.9",
        "node-fetch/1.0",
        "Scrapy/2.11.2 (+https://scrapy.org)",
        "WhatsApp/2.24.12.78 A",
        "Viber",
        "TelegramBot (like TwitterBot)",
        "facebookexternalhit/1.1",
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}) {
    EXPECT_TRUE(Patterns().IsBot(agent)) << agent;
  }
}

TEST(BotPatterns, BrowsersOfPeopleAreNot) {
  for (const char* agent :
       {kChrome, "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
        "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
        "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; GTB7.5; .NET CLR 2.0.50727; InfoPath.2)",
        "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80/191.303; U; vi) Presto/2.12.423 Version/12.16",
        "Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/4.0 "
        "Chrome/94.0.4606.31 TV Safari/537.36",
        "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile "
        "Safari/537.36",
        "Mozilla/5.0 (Linux; Android 11; Robot 5G) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile "
        "Safari/537.36",
        "Viber/12.8.0.1 CFNetwork/1121.2.2 Darwin/19.3.0",
        "[FBAN/FB4A;FBAV/567.1.0.52.74;FBBV/1003893689;FBDM/{density=3.0,width=1080,height=2340};FBLC/vi_VN;]"}) {
    EXPECT_FALSE(Patterns().IsBot(agent)) << agent;
  }
}

TEST(BotPatterns, AppsWithABrowserOfTheirOwnAreNot) {
  const std::string iphone =
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 ";
  const std::string android =
      "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 ";
  for (const char* app : {"Zalo iOS/24060 ZaloTheme/light ZaloLanguage/vi",
                          "Zalo android/12100 ZaloTheme/dark ZaloLanguage/vi",
                          "[FBAN/FBIOS;FBAV/470.0.0.0;FBDV/iPhone14,5;FBLC/vi_VN]",
                          "[FB_IAB/FB4A;FBAV/470.0.0.0;]",
                          "MessengerForiOS",
                          "Instagram 330.0.0.0 (iPhone14,5; iOS 17_5; vi_VN; vi; scale=3.00; 1170x2532)",
                          "Line/14.5.0/IAB",
                          "MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/vi",
                          "KAKAOTALK 10.5.0",
                          "Twitter for iPhone/10.40",
                          "NAVER(inapp; search; 2000; 12.5.1)",
                          "[LinkedInApp]/4.1.900",
                          "GSA/322.0.636312",
                          "Viber/22.4",
                          "Viber",
                          "WhatsApp/24.12",
                          "Snapchat/12.90",
                          "musical_ly_34.2.0 JsSdk/2.0 BytedanceWebview/d8a21c6",
                          "SmartNews/24.6",
                          "jp.gocro.smartnews.android/24.6",
                          "GoogleNews/5.104",
                          "Flipboard/4.3.21",
                          "Feedly/90",
                          "Instapaper/8",
                          "NetNewsWire/6",
                          "OperaNews/13",
                          "Baomoi/24.06",
                          "News/1080 AppleNews",
                          "com.google.android.googlequicksearchbox",
                          "baiduboxapp/13.60.0.10 (Baidu; P2 17.5)",
                          "SogouMSE,SogouMobileBrowser/6.9.3",
                          "YaSearchApp/24.60"}) {
    EXPECT_FALSE(Patterns().IsBot(iphone + app)) << app;
    EXPECT_FALSE(Patterns().IsBot(android + app)) << app;
  }
  for (const char* program : {"Slack/4.39.0 Sonic Slack_SSB/4.39.0", "Notion/3.10.0", "Code/1.90.0", "Teams/24137"}) {
    EXPECT_FALSE(Patterns().IsBot(std::string(kChrome) + " " + program + " Electron/31.0.0")) << program;
  }
}

TEST(BotPatterns, ABotWithTheNameOfAnAppIsABot) {
  for (const char* agent :
       {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 NewsBot/1.0",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Mobile Safari/537.36 (compatible; FeedParser/1.0)",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Mobile Safari/537.36 NewsReader "
        "+https://a.example",
        "Viber/22.4 Googlebot/2.1", "[FBAN/FB4A;] HeadlessChrome"}) {
    EXPECT_TRUE(Patterns().IsBot(agent)) << agent;
  }
}

TEST(BotPatterns, AnAbsentAgentIsNoBots) {
  EXPECT_FALSE(Patterns().IsBot(""));
  EXPECT_FALSE(Patterns().IsBot({}));
  // A pattern that matches the empty text does not make an absent agent a bot.
  EXPECT_FALSE(BotPatterns({{"a*"}}).IsBot(""));
}

TEST(BotPatterns, ExpressionsMeanWhatTheyDoInJavaScript) {
  const BotPatterns patterns({{"^one"}, {"two$"}, {"thr(ee|ow)"}, {"f[\\s\\S]*ve"}, {"s\\/x\\."}, {"(^| )sev\\/"}});
  for (const char* agent :
       {"one", "one b", "a two", "a three b", "throw", "five", "f\n\xFFve", "as/x.", "sev/", "a sev/"}) {
    EXPECT_TRUE(patterns.IsBot(agent)) << agent;
  }
  for (const char* agent : {"a one", "a\none", "two b", "two\n", "thre", "evf", "s/xy", "s\\/x\\.", "asev/", "ONE"}) {
    EXPECT_FALSE(patterns.IsBot(agent)) << agent;
  }
}

TEST(BotPatterns, APatternMayMatchCapitalLettersToo) {
  const BotPatterns patterns({{"Plain Text", true}, {"^e[x]pression", true}, {"Exact", false}});
  for (const char* agent : {"a plain text", "PLAIN TEXT", "ExPression", "Exact"}) {
    EXPECT_TRUE(patterns.IsBot(agent)) << agent;
  }
  for (const char* agent : {"plaintext", "an expression", "exact", "EXACT"}) {
    EXPECT_FALSE(patterns.IsBot(agent)) << agent;
  }
}

TEST(AgentNames, TheLengthAndEverythingElseStay) {
  EXPECT_EQ(WithoutReadersNames("a Viber/1 b"), "a  ;;;;;1 b");
  EXPECT_EQ(WithoutReadersNames("Viber/1 http://a"), "Viber/1 http://a");
  EXPECT_EQ(WithoutReadersNames("Mozilla/5.0 (Linux; Android 11; Robot 5G) News"),
            "Mozilla/5.0 (Linux; Android 11;  ;;;;;;;)  ;;;");
  EXPECT_EQ(WithoutReadersNames("Mozilla/5.0 (Linux; Android 11) robot; x) nEwS"),
            "Mozilla/5.0 (Linux; Android 11) robot; x)  ;;;");
  EXPECT_EQ(WithoutReadersNames("Mozilla/5.0 (Linux; Android"), "Mozilla/5.0 (Linux; Android");
  EXPECT_EQ(WithoutReadersNames("Mozilla/5.0 (Linux; Android 9; )"), "Mozilla/5.0 (Linux; Android 9; )");
  EXPECT_EQ(WithoutReadersNames(""), "");
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

TEST(IsBeginning, IsTrueForWhatMatchesAtTheBeginningOnly) {
  for (const char* pattern : {"^", "^a", "^a(b|c)", "^a\\|b", "^(?:a|(b|c))d", "^\\(a"})
    EXPECT_TRUE(IsBeginning(pattern)) << pattern;
  for (const char* pattern : {"", "a", "(^a)", "^a|b", "^(a)|b", "^a\\(|b", "(^| )a", "^[(]|b", "^[)]|b"}) {
    EXPECT_FALSE(IsBeginning(pattern)) << pattern;
  }
}

// Tries each pattern separately, as the list's own tests do.
class OneByOne {
 public:
  OneByOne() {
    for (const AgentPattern& pattern : ListedPatterns()) {
      RE2::Options options(RE2::Latin1);
      options.set_case_sensitive(!pattern.any_case);
      expressions_.push_back(std::make_unique<RE2>(std::string(pattern.expression), options));
      EXPECT_TRUE(expressions_.back()->ok()) << pattern.expression;
    }
    EXPECT_GT(expressions_.size(), 1'700u);
  }

  bool IsBot(const std::string& agent) const { return Matches(agent) && Matches(WithoutReadersNames(agent)); }

 private:
  bool Matches(const std::string& agent) const {
    return std::any_of(expressions_.begin(), expressions_.end(),
                       [&](const auto& expression) { return RE2::PartialMatch(agent, *expression); });
  }

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
  static const auto patterns = ListedPatterns();
  std::string agent;
  while (agent.size() < limits::kAgentBytesMax) {
    const std::string_view pattern = patterns[random() % patterns.size()].expression;
    agent.append(pattern.substr(0, random() % pattern.size()));
    agent.push_back(static_cast<char>(random()));
  }
  return agent.substr(0, limits::kAgentBytesMax);
}

TEST(BotPatterns, TogetherSayWhatEachForItselfSays) {
  const OneByOne one_by_one;
  const BotPatterns together(ListedPatterns());
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
  std::string too_far = "Mozilla/5.0 (";
  too_far.resize(limits::kAgentBytesMax - 7, 'a');
  ExpectVerdictOfItsBeginning(too_far + mark + long_agent, false);
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
