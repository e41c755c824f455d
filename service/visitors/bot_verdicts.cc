#include "service/visitors/bot_verdicts.h"

#include <bit>
#include <utility>

namespace viewcount {
namespace {

constexpr uint64_t kVerdictBit = 1;
constexpr size_t kPairs = limits::kAgentVerdictsMax / 2;

static_assert(std::has_single_bit(kPairs), "a pair is picked by the top bits of a hash");

}  // namespace

BotVerdicts::BotVerdicts(const BotPatterns& patterns) : patterns_(patterns), pairs_(kPairs) {}

bool BotVerdicts::IsBot(std::string_view agent) {
  agent = agent.substr(0, limits::kAgentBytesMax);
  if (agent.empty()) return patterns_.IsBot(agent);
  const Entry hash = HashOf(agent);
  Pair& pair = pairs_[hash >> (64 - std::bit_width(kPairs - 1))];
  if ((pair.newer & ~kVerdictBit) == hash) return (pair.newer & kVerdictBit) != 0;
  if ((pair.older & ~kVerdictBit) == hash) {
    std::swap(pair.newer, pair.older);
    return (pair.newer & kVerdictBit) != 0;
  }
  ++misses_;
  const bool is_bot = patterns_.IsBot(agent);
  pair.older = pair.newer;
  pair.newer = hash | (is_bot ? kVerdictBit : 0);
  return is_bot;
}

size_t BotVerdicts::size() const {
  size_t count = 0;
  for (const Pair& pair : pairs_) count += (pair.newer != 0 ? 1 : 0) + (pair.older != 0 ? 1 : 0);
  return count;
}

BotVerdicts::Entry BotVerdicts::HashOf(std::string_view agent) const {
  const Entry hash = hash_.Of(agent) & ~kVerdictBit;
  // 0 means an empty entry. One agent in 2^63 has this hash, and shares a verdict with another agent.
  return hash != 0 ? hash : ~kVerdictBit;
}

}  // namespace viewcount
