#include "service/visitors/bot_patterns.h"

#include <absl/strings/ascii.h>
#include <re2/re2.h>

#include "agent_patterns.h"
#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/visitors/agent_names.h"

namespace viewcount {
namespace {

// The first character of each line of the embedded file; see agent_patterns.mjs.
constexpr char kAnyCase = '~';
constexpr char kSameCase = '=';

std::vector<AgentPattern> AllPatterns() {
  auto patterns = ListedPatterns();
  for (const std::string_view mark : kAutomationMarks) patterns.push_back({mark});
  return patterns;
}

std::string InLowerCase(std::string_view text) { return absl::AsciiStrToLower(ToAbsl(text)); }

std::vector<std::string> PlainTexts(const std::vector<AgentPattern>& patterns, bool any_case) {
  std::vector<std::string> texts;
  for (const AgentPattern& pattern : patterns) {
    if (pattern.any_case != any_case) continue;
    if (const auto text = PlainText(pattern.expression)) texts.push_back(any_case ? InLowerCase(*text) : *text);
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

std::vector<AgentPattern> ListedPatterns() {
  std::vector<AgentPattern> patterns;
  std::string_view rest = kAgentPatterns;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    VIEWCOUNT_CHECK(end != std::string_view::npos && end > 1);
    VIEWCOUNT_CHECK(rest.front() == kAnyCase || rest.front() == kSameCase);
    patterns.push_back({.expression = rest.substr(1, end - 1), .any_case = rest.front() == kAnyCase});
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

bool IsBeginning(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '^') return false;
  int depth = 0;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    if (c == '\\') ++at;
    // Parentheses within a class of characters need not be in pairs, so such a pattern may be taken for a general one.
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == '|' && depth <= 0) return false;
  }
  return depth == 0;
}

BotPatterns::BotPatterns() : BotPatterns(AllPatterns()) {}

BotPatterns::BotPatterns(const std::vector<AgentPattern>& patterns)
    : texts_(PlainTexts(patterns, false)),
      any_case_texts_(PlainTexts(patterns, true)),
      beginnings_(ExpressionOptions(), RE2::ANCHOR_START),
      expressions_(ExpressionOptions(), RE2::UNANCHORED) {
  for (const AgentPattern& pattern : patterns) {
    if (PlainText(pattern.expression)) continue;
    const std::string expression = (pattern.any_case ? "(?i)" : "") + std::string(pattern.expression);
    RE2::Set& set = IsBeginning(pattern.expression) ? beginnings_ : expressions_;
    VIEWCOUNT_CHECK(set.Add(expression, nullptr) >= 0);
  }
  VIEWCOUNT_CHECK(beginnings_.Compile() && expressions_.Compile());
}

bool BotPatterns::IsBot(std::string_view agent) const {
  agent = agent.substr(0, limits::kAgentBytesMax);
  // Most agents match nothing, so the names of readers' programs matter for few.
  return !agent.empty() && Matches(agent) && Matches(WithoutReadersNames(agent));
}

bool BotPatterns::Matches(std::string_view agent) const {
  const re2::StringPiece text(agent.data(), agent.size());
  return texts_.IsIn(agent) || any_case_texts_.IsIn(InLowerCase(agent)) || beginnings_.Match(text, nullptr) ||
         expressions_.Match(text, nullptr);
}

}  // namespace viewcount
