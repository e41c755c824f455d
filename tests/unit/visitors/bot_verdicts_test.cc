// Tests that remembered verdicts equal those of the patterns, and that their number is limited.
#include "service/visitors/bot_verdicts.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/support/agent_lists.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

const BotPatterns& SharedPatterns() {
  static const BotPatterns patterns;
  return patterns;
}

std::string Agent(uint64_t number) {
  return (number % 3 == 0 ? "Googlebot/2." : "Mozilla/5.0 (X11; Linux x86_64) Firefox/1.") + std::to_string(number);
}

TEST(BotVerdicts, AreThoseOfThePatterns) {
  BotVerdicts verdicts(SharedPatterns());
  std::mt19937_64 random(TestSeed());
  const auto crawlers = CrawlerAgents();
  BrowserAgents browsers;
  for (int i = 0; i < 10'000; ++i) {
    const std::string& agent = i % 2 == 0 ? crawlers[random() % crawlers.size()] : browsers.Draw(random);
    ASSERT_EQ(verdicts.IsBot(agent), SharedPatterns().IsBot(agent)) << agent;
  }
}

TEST(BotVerdicts, AreRemembered) {
  BotVerdicts verdicts(SharedPatterns());
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(verdicts.IsBot("Googlebot/2.1"));
    EXPECT_FALSE(verdicts.IsBot("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"));
  }
  EXPECT_EQ(verdicts.misses(), 2u);
  EXPECT_EQ(verdicts.size(), 2u);
}

TEST(BotVerdicts, AreNeverMoreThanTheirLimit) {
  BotVerdicts verdicts(SharedPatterns());
  std::mt19937_64 random(TestSeed());
  for (uint64_t i = 0; i < 10 * limits::kAgentVerdictsMax; ++i) {
    const uint64_t number = random() % (4 * limits::kAgentVerdictsMax);
    ASSERT_EQ(verdicts.IsBot(Agent(number)), number % 3 == 0) << Agent(number);
    if (i % 1'000 == 0) {
      ASSERT_LE(verdicts.size(), limits::kAgentVerdictsMax);
    }
  }
  EXPECT_GT(verdicts.size(), limits::kAgentVerdictsMax * 9 / 10) << "was it full?";
}

TEST(BotVerdicts, AnAgentInUseStaysWhileOthersComeAndGo) {
  BotVerdicts verdicts(SharedPatterns());
  const std::string browser = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
  verdicts.IsBot(browser);
  for (uint64_t i = 0; i < 10 * limits::kAgentVerdictsMax; ++i) {
    verdicts.IsBot(Agent(i));
    ASSERT_FALSE(verdicts.IsBot(browser));
  }
  EXPECT_EQ(verdicts.misses(), 1 + 10 * limits::kAgentVerdictsMax);
}

TEST(BotVerdicts, OfLongAgentsOnlyTheBeginningIsRemembered) {
  BotVerdicts verdicts(SharedPatterns());
  // An agent without a blank is a bot's.
  std::string beginning = "Mozilla/5.0 (";
  beginning.resize(limits::kAgentBytesMax, 'a');
  EXPECT_FALSE(verdicts.IsBot(beginning));
  EXPECT_FALSE(verdicts.IsBot(beginning + "Googlebot/2.1"));
  EXPECT_FALSE(verdicts.IsBot(beginning + std::string(64 << 10, '\xFF')));
  EXPECT_EQ(verdicts.misses(), 1u);
}

TEST(BotVerdicts, AnAbsentAgentIsNotKept) {
  BotVerdicts verdicts(SharedPatterns());
  EXPECT_FALSE(verdicts.IsBot(""));
  EXPECT_FALSE(verdicts.IsBot({}));
  EXPECT_EQ(verdicts.size(), 0u);
}

TEST(BotVerdicts, ThreadsShareThePatternsAlone) {
  const BotPatterns patterns;
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&patterns, thread] {
      BotVerdicts verdicts(patterns);
      for (uint64_t i = 0; i < 3'000; ++i)
        EXPECT_EQ(verdicts.IsBot(Agent(thread * 1'000 + i)), (thread * 1'000 + i) % 3 == 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace viewcount
