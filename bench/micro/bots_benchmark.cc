// Measures the cost per request of deciding whether a user agent belongs to a bot. Items are agents.
//
// The agents of people and of bots are drawn with their real frequency. `median_ns` is the median of single calls,
// including the clock. Each of the 1,000 hostile agents has 1,024 bytes that resemble many patterns and match none. All
// of them differ.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "service/base/limits.h"
#include "service/visitors/bot_patterns.h"
#include "service/visitors/bot_verdicts.h"
#include "tests/support/agent_lists.h"

namespace viewcount {
namespace {

constexpr size_t kDrawn = 10'000;
constexpr size_t kHostile = 1'000;

const BotPatterns& Patterns() {
  static const BotPatterns patterns;
  return patterns;
}

const std::vector<std::string>& OfPeople() {
  static const auto agents = [] {
    BrowserAgents browsers;
    std::mt19937_64 random(1);
    std::vector<std::string> drawn(kDrawn);
    for (std::string& agent : drawn) agent = browsers.Draw(random);
    return drawn;
  }();
  return agents;
}

const std::vector<std::string>& OfBots() {
  static const auto agents = CrawlerAgents();
  return agents;
}

// Returns agents that consist of the beginnings of patterns. An extension that would match a pattern is discarded.
const std::vector<std::string>& Hostile() {
  static const auto agents = [] {
    const auto patterns = ListedPatterns();
    std::mt19937_64 random(1);
    std::vector<std::string> made(kHostile);
    for (std::string& agent : made) {
      while (agent.size() < limits::kAgentBytesMax) {
        const std::string_view pattern = patterns[random() % patterns.size()].expression;
        std::string longer = agent + std::string(pattern.substr(0, pattern.size() - 1));
        if (!Patterns().IsBot(longer)) agent = std::move(longer);
      }
      agent.resize(limits::kAgentBytesMax);
    }
    return made;
  }();
  return agents;
}

template <typename Ask>
void AskAll(benchmark::State& state, const std::vector<std::string>& agents, const Ask& ask) {
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ask(agents[next]));
    if (++next == agents.size()) next = 0;
  }
  state.SetItemsProcessed(state.iterations());
  std::vector<int64_t> times;
  for (const std::string& agent : agents) {
    const auto begun = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(ask(agent));
    times.push_back((std::chrono::steady_clock::now() - begun).count());
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  state.counters["median_ns"] = static_cast<double>(times[times.size() / 2]);
}

void Uncached(benchmark::State& state, const std::vector<std::string>& (*agents)()) {
  AskAll(state, agents(), [](const std::string& agent) { return Patterns().IsBot(agent); });
}

void Cached(benchmark::State& state, const std::vector<std::string>& (*agents)()) {
  BotVerdicts verdicts(Patterns());
  AskAll(state, agents(), [&](const std::string& agent) { return verdicts.IsBot(agent); });
}

// Measures the part of the service's start that compiles the patterns.
void Compile(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(BotPatterns());
}

BENCHMARK_CAPTURE(Uncached, people, OfPeople);
BENCHMARK_CAPTURE(Uncached, bots, OfBots);
BENCHMARK_CAPTURE(Uncached, hostile, Hostile);
BENCHMARK_CAPTURE(Cached, people, OfPeople);
BENCHMARK_CAPTURE(Cached, bots, OfBots);
BENCHMARK_CAPTURE(Cached, hostile, Hostile);
BENCHMARK(Compile)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace viewcount
