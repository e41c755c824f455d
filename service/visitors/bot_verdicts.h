// What BotPatterns said of agents that came lately, since most requests of a second have one of some hundred agents.
//
// It keeps no agent, only a private hash of it. Should two have one after all, the later gets the verdict of the
// earlier until that is displaced.
//
// Not thread safe: each thread has its own, and no lock. Bounded at limits::kAgentVerdictsMax verdicts of 8 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "service/base/limits.h"
#include "service/base/private_hash.h"
#include "service/visitors/bot_patterns.h"

namespace viewcount {

class BotVerdicts {
 public:
  // The patterns must outlive it.
  explicit BotVerdicts(const BotPatterns& patterns);

  // What BotPatterns::IsBot says of the agent.
  bool IsBot(std::string_view agent);

  // How many verdicts it has now, at most limits::kAgentVerdictsMax. Looks at all of them.
  size_t size() const;
  // How often the patterns had to be asked.
  uint64_t misses() const { return misses_; }

 private:
  // The agent's hash with the verdict as its lowest bit; 0 is none.
  using Entry = uint64_t;
  // An agent's place is one of two, the newer first; a third one takes the older one's.
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
