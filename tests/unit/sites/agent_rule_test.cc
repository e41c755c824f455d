#include "service/sites/agent_rule.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/sites/site.h"

namespace viewcount {
namespace {

using Verdict = std::optional<bool>;

AgentRule RuleOf(const AgentRuleSettings& settings) {
  auto rule = AgentRule::Make(settings);
  EXPECT_TRUE(rule.ok()) << rule.status();
  return *std::move(rule);
}

std::string Refusal(const AgentRuleSettings& settings) {
  return std::string(ToStd(AgentRule::Make(settings).status().message()));
}

TEST(AgentRule, WithoutPatternsItDecidesNothing) {
  EXPECT_EQ(AgentRule().IsBot("Googlebot/2.1"), std::nullopt);
  EXPECT_EQ(RuleOf({}).IsBot(""), std::nullopt);
}

TEST(AgentRule, PatternsMatchAnywhereAndInAnyCase) {
  const AgentRule rule = RuleOf({.bots = {"house ?checker", "^Probe/"}});
  EXPECT_EQ(rule.IsBot("Mozilla/5.0 HouseChecker/2"), Verdict(true));
  EXPECT_EQ(rule.IsBot("the HOUSE CHECKER"), Verdict(true));
  EXPECT_EQ(rule.IsBot("probe/1"), Verdict(true));
  EXPECT_EQ(rule.IsBot("a probe/1"), std::nullopt);
  EXPECT_EQ(rule.IsBot("Mozilla/5.0 Firefox/130.0"), std::nullopt);
}

TEST(AgentRule, PatternsOfPeopleWin) {
  const AgentRule rule = RuleOf({.bots = {"portal"}, .people = {"PortalApp/"}});
  EXPECT_EQ(rule.IsBot("PortalApp/3 (iPhone)"), Verdict(false));
  EXPECT_EQ(rule.IsBot("portal-crawler"), Verdict(true));
}

TEST(AgentRule, AgentsAreAnyBytes) {
  const AgentRule rule = RuleOf({.bots = {"\\xe9t\\xe9", "a.b"}});
  EXPECT_EQ(rule.IsBot("\xE9t\xE9"), Verdict(true));
  EXPECT_EQ(rule.IsBot(std::string_view("a\0b", 3)), Verdict(true));
  EXPECT_EQ(rule.IsBot("\xFF\xFE"), std::nullopt);
}

TEST(AgentRule, TheEndOfALongAgentIsNotExamined) {
  const AgentRule rule = RuleOf({.bots = {"end$", "needle"}});
  EXPECT_EQ(rule.IsBot(std::string(limits::kAgentBytesMax, 'x') + "needle"), std::nullopt);
  EXPECT_EQ(rule.IsBot(std::string(limits::kAgentBytesMax - 6, 'x') + "needle"), Verdict(true));
}

TEST(AgentRule, ARequestWithoutAnAgentMayBeABots) {
  const AgentRule rule = RuleOf({.bots = {"^$"}});
  EXPECT_EQ(rule.IsBot(""), Verdict(true));
  EXPECT_EQ(rule.IsBot("x"), std::nullopt);
}

TEST(AgentRule, RefusalsNameTheFieldAndThePattern) {
  EXPECT_EQ(Refusal({.bots = {"ok", "App(?!le)"}}),
            "site.bot_agents: \"App(?!le)\" is no regular expression of RE2: invalid perl operator: (?!");
  EXPECT_EQ(Refusal({.people = {"(\\d"}}),
            "site.person_agents: \"(\\\\d\" is no regular expression of RE2: missing ): (\\d");
  EXPECT_EQ(Refusal({.bots = {""}}), "site.bot_agents: \"\" must have 1 to 256 bytes");
  EXPECT_EQ(Refusal({.bots = {std::string(257, 'a')}}),
            "site.bot_agents: \"" + std::string(257, 'a') + "\" must have 1 to 256 bytes");
  EXPECT_EQ(Refusal({.people = {"caf\xC3\xA9"}}),
            "site.person_agents: \"caf\\xc3\\xa9\" must be printable ASCII; write another byte as \\xHH");
  for (const char* all : {".*", "a*", "^", "|", "(bot)?", "$", ".", ".+", "[^x]"}) {
    EXPECT_EQ(Refusal({.bots = {all}}), std::string("site.bot_agents: \"") + all + "\" matches every agent");
  }
  EXPECT_EQ(Refusal({.bots = std::vector<std::string>(65, "a")}), "site.bot_agents: must be at most 64");
  EXPECT_EQ(Refusal({.people = {"((a{100}){100}){100}"}}).substr(0, 26), "site.person_agents: \"((a{1");
}

TEST(AgentRule, ASiteHasTheRuleOfItsSettings) {
  const auto site = MakeSite("demo", {.agents = {.bots = {"checker"}, .people = {"HouseApp"}}});
  ASSERT_TRUE(site.ok()) << site.status();
  EXPECT_EQ(site->agents.IsBot("checker"), Verdict(true));
  EXPECT_EQ(site->agents.IsBot("houseapp"), Verdict(false));
  EXPECT_EQ(FieldOf(MakeSite("demo", {.agents = {.people = {"("}}}).status()), "site.person_agents");
}

}  // namespace
}  // namespace viewcount
