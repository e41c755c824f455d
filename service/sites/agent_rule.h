// The patterns by which a site itself decides which user agents belong to bots and which to people. They come before
// the built-in lists (service/visitors/bot_patterns.h).
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// The choices of a site. A regular value type. Each entry is a regular expression of RE2, which may match anywhere in
// an agent and does not distinguish capital letters.
struct AgentRuleSettings {
  // Agents of bots that the built-in lists do not know.
  std::vector<std::string> bots = {};
  // Agents of people that the built-in lists take for bots, such as the portal's own app. They win over `bots`.
  std::vector<std::string> people = {};

  bool operator==(const AgentRuleSettings&) const = default;
};

// Immutable, so thread-safe. Copies share their contents.
class AgentRule {
 public:
  // The rule of a site without patterns.
  AgentRule() = default;
  // Returns INVALID_ARGUMENT that names the invalid field of viewcount.v1.Site and the pattern. A pattern must have 1
  // to limits::kAgentPatternBytesMax characters of printable ASCII. RE2 must know it, and it must not match every
  // agent.
  static absl::StatusOr<AgentRule> Make(const AgentRuleSettings& settings);

  // Returns whether the agent is a bot's. Returns nothing if no pattern matches, so the built-in lists have to decide.
  // `agent` may be any bytes, of which the first limits::kAgentBytesMax are examined as Latin-1.
  std::optional<bool> IsBot(std::string_view agent) const;

 private:
  struct Compiled;
  // Null without patterns, as most sites are.
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace viewcount
