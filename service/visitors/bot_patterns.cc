#include "service/visitors/bot_patterns.h"

#include <re2/re2.h>

#include "crawler_patterns.h"
#include "service/base/check.h"
#include "service/base/limits.h"

namespace viewcount {
namespace {

std::vector<std::string_view> AllPatterns() {
  auto patterns = CrawlerPatterns();
  patterns.insert(patterns.end(), kAutomationMarks.begin(), kAutomationMarks.end());
  return patterns;
}

std::vector<std::string> PlainTexts(const std::vector<std::string_view>& patterns) {
  std::vector<std::string> texts;
  for (const std::string_view pattern : patterns) {
    if (auto text = PlainText(pattern)) texts.push_back(*std::move(text));
  }
  return texts;
}

RE2::Options ExpressionOptions() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_max_mem(limits::kBotExpressionsBytesMax);
  options.set_log_errors(false);
  return options;
}

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::vector<std::string_view> CrawlerPatterns() {
  std::vector<std::string_view> patterns;
  std::string_view rest = kCrawlerPatterns;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    VIEWCOUNT_CHECK(end != std::string_view::npos && end > 0);
    patterns.push_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return patterns;
}

std::optional<std::string> PlainText(std::string_view pattern) {
  std::string text;
  for (size_t at = 0; at < pattern.size(); ++at) {
    char c = pattern[at];
    if (c == '\\') {
      // A backslash before a letter or digit makes a class of characters or a reference. Before any other character it
      // means that character itself.
      if (++at == pattern.size() || IsLetterOrDigit(pattern[at])) return std::nullopt;
      c = pattern[at];
    } else if (std::string_view("^$.*+?()[]{}|").find(c) != std::string_view::npos) {
      return std::nullopt;
    }
    text.push_back(c);
  }
  return text;
}

BotPatterns::BotPatterns() : BotPatterns(AllPatterns()) {}

BotPatterns::BotPatterns(const std::vector<std::string_view>& patterns)
    : texts_(PlainTexts(patterns)), expressions_(ExpressionOptions(), RE2::UNANCHORED) {
  for (const std::string_view pattern : patterns) {
    if (PlainText(pattern)) continue;
    VIEWCOUNT_CHECK(expressions_.Add({pattern.data(), pattern.size()}, nullptr) >= 0);
  }
  VIEWCOUNT_CHECK(expressions_.Compile());
}

bool BotPatterns::IsBot(std::string_view agent) const {
  agent = agent.substr(0, limits::kAgentBytesMax);
  return !agent.empty() && (texts_.IsIn(agent) || expressions_.Match({agent.data(), agent.size()}, nullptr));
}

}  // namespace viewcount
