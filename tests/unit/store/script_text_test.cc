// Tests the rules for the text of the scripts (KEYS.md, "Torn parts").
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "service/store/redis/permissions.h"
#include "service/store/redis/store_scripts.h"

namespace viewcount {
namespace {

using ::testing::IsSubsetOf;

// Returns the commands that a text calls by name.
std::set<std::string> CommandsIn(const std::string& text) {
  static const std::regex call(R"(redis\.p?call\('([A-Z]+)')");
  std::set<std::string> commands;
  for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) commands.insert((*at)[1]);
  return commands;
}

// Returns the commands that the text requires with require_command.
std::set<std::string> AskedFor(const std::string& text) {
  static const std::regex call(R"(require_command\('([A-Z]+)')");
  std::set<std::string> commands;
  for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) commands.insert((*at)[1]);
  return commands;
}

TEST(ScriptText, EveryCommandIsCalledByItsName) {
  for (const auto& [name, text] : StoreScriptTexts()) {
    static const std::regex any_call(R"(redis\.p?call\((?!')[^)]*)");
    std::smatch match;
    EXPECT_FALSE(std::regex_search(text, match, any_call)) << name << ": " << match.str();
  }
}

TEST(ScriptText, NoCommandLetsAKeyVanish) {
  for (const auto& [name, text] : StoreScriptTexts()) {
    for (const char* const command : {"DEL", "UNLINK", "GETDEL", "RENAME", "PERSIST", "FLUSHDB", "FLUSHALL", "ZPOPMIN",
                                      "ZPOPMAX", "ZREMRANGEBYSCORE", "ZREMRANGEBYLEX", "SPOP", "MOVE"}) {
      EXPECT_FALSE(CommandsIn(text).contains(command)) << name << " calls " << command;
    }
  }
}

// A script that writes with more than one command must require each command in advance. Commands that have run on the
// same key before are exempt.
TEST(ScriptText, EveryCommandThatMayFollowAWriteIsAskedFor) {
  // Scripts share ranking.lua, and not every script uses all of it.
  std::set<std::string> asked;
  for (const auto& [name, text] : StoreScriptTexts()) asked.merge(AskedFor(text));
  for (const auto& [name, text] : StoreScriptTexts()) {
    std::set<std::string> commands = CommandsIn(text);
    for (const char* const read_before : {"HGET", "HMGET", "TYPE"}) commands.erase(read_before);
    commands.erase("OBJECT");
    if (name == "viewers") commands.erase("PFADD");
    if (name == "claim" || name == "open" || name == "repair" || name == "swap") commands.erase("HSET");
    EXPECT_THAT(commands, IsSubsetOf(asked)) << name;
  }
}

TEST(ScriptText, EveryCommandIsARightOfTheLeastUser) {
  const std::string user = LeastUser("viewcount", "PASSWORD") + " ";
  for (const auto& [name, text] : StoreScriptTexts()) {
    for (const std::string& command : CommandsIn(text)) {
      std::string rule = command == "OBJECT" ? "object|encoding" : command;
      std::transform(rule.begin(), rule.end(), rule.begin(), [](unsigned char c) { return std::tolower(c); });
      EXPECT_NE(user.find(" +" + rule + " "), std::string::npos) << name << " calls " << command;
    }
  }
}

TEST(ScriptText, TheRunbookQuotesTheLeastUser) {
  std::ifstream file(RUNBOOK);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(LeastUser("viewcount", "PASSWORD") + "\n"), std::string::npos)
      << LeastUser("viewcount", "PASSWORD");
}

}  // namespace
}  // namespace viewcount
