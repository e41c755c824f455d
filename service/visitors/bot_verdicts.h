// A cache of the verdicts of BotPatterns. It helps because most requests of a second have one of some hundred agents.
//
// It keeps no agents, only a private hash of each. If two agents have the same hash, the later one gets the verdict of
// the earlier one until that verdict is displaced.
//
// Not thread-safe: each thread has its own cache, which needs no lock. It is bounded at limits::kAgentVerdictsMax
// verdicts of 8 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "service/base/limits.h"
#include "service/base/private_hash.h"
#include "service/visitors/bot_patterns.h"

namespace viewcount {

// A bounded cache in front of BotPatterns. Used by one thread.
class BotVerdicts {
 public:
  // The patterns must outlive this object.
  explicit BotVerdicts(const BotPatterns& patterns);

  // Returns the result of BotPatterns::IsBot for the agent.
  bool IsBot(std::string_view agent);

  // Returns the number of cached verdicts, at most limits::kAgentVerdictsMax. It examines all entries.
  size_t size() const;
  // Returns how often BotPatterns had to be asked.
  uint64_t misses() const { return misses_; }

 private:
  // The agent's hash, with the verdict as its lowest bit. 0 means no entry.
  using Entry = uint64_t;
  // The two places for agents whose hashes select this pair. A third agent displaces the older entry.
  struct Pair {
    Entry newer = 0;
    Entry older = 0;
  };

  Entry HashOf(std::string_view agent) const;

  const BotPatterns& patterns_;
  const PrivateHash hash_;
  std::vector<Pair> pairs_;
  uint64_t misses_ = 0;
};

}  // namespace viewcount
