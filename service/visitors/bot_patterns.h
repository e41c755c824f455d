// Which user agents are bots': crawlers, monitors, libraries, and browsers that a program drives.
//
// The patterns are those of crawler-user-agents (package.json has its version), which the build fetches, and the marks
// of automation below. Nothing here tells a bot that says it is a browser.
//
// Thread safe: what RE2 adds to its automaton it guards itself. Making one takes 3 ms and 2 MB: one for the process.
#pragma once

#include <re2/set.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/visitors/text_finder.h"

namespace viewcount {

// What headless browsers and what drives them call themselves, be it in the list or not. Electron is none: people read
// in its programs.
inline constexpr std::array<std::string_view, 9> kAutomationMarks = {
    "Headless", "PhantomJS", "SlimerJS", "HtmlUnit", "Puppeteer", "Playwright", "Selenium", "WebDriver", "jsdom",
};

// The list's patterns: regular expressions of JavaScript, unanchored, of which upper and lower case differ.
std::vector<std::string_view> CrawlerPatterns();

// The text that a pattern stands for if that is all it does; nothing if it is a true expression.
std::optional<std::string> PlainText(std::string_view pattern);

class BotPatterns {
 public:
  // CrawlerPatterns() and kAutomationMarks.
  BotPatterns();
  // Any others: expressions that RE2 knows, none of them empty.
  explicit BotPatterns(const std::vector<std::string_view>& patterns);

  // Whether an agent is a bot's. It may be anything that came with a request: of more than limits::kAgentBytesMax bytes
  // only those are looked at, and bytes are taken for Latin-1, so that none is malformed. An empty one tells nothing
  // and is no bot's: who sends none may be a person behind a proxy that takes it away.
  bool IsBot(std::string_view agent) const;

 private:
  TextFinder texts_;
  // RE2 has an automaton as well, that it makes as it meets texts: the work per byte has a bound that does not depend
  // on the text.
  RE2::Set expressions_;
};

}  // namespace viewcount
