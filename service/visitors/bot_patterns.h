// Recognises the user agents of bots: crawlers, monitors, libraries, and browsers that a program controls.
//
// The patterns are those of crawler-user-agents and isbot, which the build fetches (package.json has their versions),
// and the marks of automation below. A bot's agent matches one of them, with and without the names that agent_names.h
// removes. A bot that pretends to be a browser is not recognised.
//
// Thread-safe: RE2 itself guards the changes of its automaton. Constructing an object takes some milliseconds and
// megabytes, so there is one for each process.
#pragma once

#include <re2/set.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/visitors/aho_corasick.h"

namespace viewcount {

// The names of headless browsers and of the tools that control them, whether or not the list has them. Electron is not
// among them, since people read in its programs.
inline constexpr std::array<std::string_view, 9> kAutomationMarks = {
    "Headless", "PhantomJS", "SlimerJS", "HtmlUnit", "Puppeteer", "Playwright", "Selenium", "WebDriver", "jsdom",
};

// A pattern of a list.
struct AgentPattern {
  // An unanchored regular expression that RE2 supports and that JavaScript reads alike. Not empty.
  std::string_view expression;
  // True if the pattern does not distinguish capital letters.
  bool any_case = false;
};

// Returns the patterns of both lists. The texts live as long as the program.
std::vector<AgentPattern> ListedPatterns();

// Returns the text that a pattern matches if the pattern is just a literal text. Returns nothing if it is a real
// regular expression.
std::optional<std::string> PlainText(std::string_view pattern);

// Returns true if a pattern can only match at the beginning of a text. It then begins with ^ and has no alternative
// outside of its groups.
bool IsBeginning(std::string_view pattern);

// Decides whether a user agent belongs to a bot. Thread-safe.
class BotPatterns {
 public:
  // Uses the patterns of ListedPatterns() and kAutomationMarks.
  BotPatterns();
  // Uses other patterns.
  explicit BotPatterns(const std::vector<AgentPattern>& patterns);

  // Returns true if `agent` is that of a bot. It may be any bytes from a request. Only the first limits::kAgentBytesMax
  // bytes are examined. They are read as Latin-1, so no agent is malformed. An empty agent is not a bot's: a proxy may
  // have removed a person's agent.
  bool IsBot(std::string_view agent) const;

 private:
  bool Matches(std::string_view agent) const;

  AhoCorasick texts_;
  // Texts in lower case, which are searched for in the agent in lower case.
  AhoCorasick any_case_texts_;
  // RE2 also has automatons, which it builds as it processes texts. So the work per byte has a bound that does not
  // depend on the text. Patterns of beginnings have one of their own, because it usually ends after a few bytes.
  RE2::Set beginnings_;
  RE2::Set expressions_;
};

}  // namespace viewcount
