// Recognises the user agents of bots: crawlers, monitors, libraries, and browsers that a program controls.
//
// The patterns are those of crawler-user-agents, which the build fetches (package.json has its version), and the marks
// of automation below. A bot that pretends to be a browser is not recognised.
//
// Thread-safe: RE2 itself guards the changes of its automaton. Constructing an object takes 3 ms and 2 MB, so there is
// one for each process.
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

// Returns the patterns of the list. They are unanchored regular expressions of JavaScript and case-sensitive.
std::vector<std::string_view> CrawlerPatterns();

// Returns the text that a pattern matches if the pattern is just a literal text. Returns nothing if it is a real
// regular expression.
std::optional<std::string> PlainText(std::string_view pattern);

// Decides whether a user agent belongs to a bot. Thread-safe.
class BotPatterns {
 public:
  // Uses the patterns of CrawlerPatterns() and kAutomationMarks.
  BotPatterns();
  // Uses other patterns: regular expressions that RE2 supports, none of them empty.
  explicit BotPatterns(const std::vector<std::string_view>& patterns);

  // Returns true if `agent` is that of a bot. It may be any bytes from a request. Only the first limits::kAgentBytesMax
  // bytes are examined. They are read as Latin-1, so no agent is malformed. An empty agent is not a bot's: a proxy may
  // have removed a person's agent.
  bool IsBot(std::string_view agent) const;

 private:
  AhoCorasick texts_;
  // RE2 also has an automaton, which it builds as it processes texts. So the work per byte has a bound that does not
  // depend on the text.
  RE2::Set expressions_;
};

}  // namespace viewcount
