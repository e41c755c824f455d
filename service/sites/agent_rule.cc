#include "service/sites/agent_rule.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <array>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

RE2::Options PatternOptions() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_case_sensitive(false);
  options.set_max_mem(limits::kAgentPatternsBytesMax);
  options.set_log_errors(false);
  return options;
}

// Returns the problem of a pattern, or an empty text.
std::string ProblemOf(const std::string& pattern) {
  if (pattern.empty() || pattern.size() > limits::kAgentPatternBytesMax) {
    return fmt::format("must have 1 to {} bytes", limits::kAgentPatternBytesMax);
  }
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (!std::ranges::all_of(pattern, is_printable)) return "must be printable ASCII; write another byte as \\xHH";
  const RE2 expression(pattern, PatternOptions());
  if (!expression.ok()) return "is no regular expression of RE2: " + expression.error();
  // A pattern that matches all of these, which have nothing in common, matches every agent.
  constexpr std::array<const char*, 4> kUnlike = {"Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "okhttp-4", "~",
                                                  "\xE9"};
  const bool every =
      std::ranges::all_of(kUnlike, [&](const char* agent) { return RE2::PartialMatch(agent, expression); });
  return every ? "matches every agent" : "";
}

// Compiles the patterns of a field into one automaton. Returns null without patterns.
absl::StatusOr<std::unique_ptr<RE2::Set>> Compile(std::string_view field, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return nullptr;
  if (patterns.size() > limits::kAgentPatternsMax) {
    return InvalidField(field, fmt::format("must be at most {}", limits::kAgentPatternsMax));
  }
  auto set = std::make_unique<RE2::Set>(PatternOptions(), RE2::UNANCHORED);
  for (const std::string& pattern : patterns) {
    if (const auto problem = ProblemOf(pattern); !problem.empty()) {
      return InvalidField(field, fmt::format("\"{}\" {}", absl::CHexEscape(pattern), problem));
    }
    set->Add(pattern, nullptr);
  }
  if (!set->Compile()) return InvalidField(field, "the patterns together need too much memory; use fewer repetitions");
  return set;
}

bool Matches(const std::unique_ptr<RE2::Set>& set, std::string_view agent) {
  return set != nullptr && set->Match(re2::StringPiece(agent.data(), agent.size()), nullptr);
}

}  // namespace

struct AgentRule::Compiled {
  std::unique_ptr<RE2::Set> bots;
  std::unique_ptr<RE2::Set> people;
};

absl::StatusOr<AgentRule> AgentRule::Make(const AgentRuleSettings& settings) {
  auto bots = Compile("site.bot_agents", settings.bots);
  if (!bots.ok()) return bots.status();
  auto people = Compile("site.person_agents", settings.people);
  if (!people.ok()) return people.status();
  AgentRule rule;
  if (*bots != nullptr || *people != nullptr) {
    rule.compiled_ = std::make_shared<const Compiled>(*std::move(bots), *std::move(people));
  }
  return rule;
}

std::optional<bool> AgentRule::IsBot(std::string_view agent) const {
  if (compiled_ == nullptr) return std::nullopt;
  agent = agent.substr(0, limits::kAgentBytesMax);
  if (Matches(compiled_->people, agent)) return false;
  if (Matches(compiled_->bots, agent)) return true;
  return std::nullopt;
}

}  // namespace viewcount
