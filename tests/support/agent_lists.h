// User agents that were seen: those of bots, and those of people. Both end the process if their file is not there,
// saying what makes it.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace viewcount {

// All that crawler-user-agents has as examples of its patterns (service/visitors/package.json).
std::vector<std::string> CrawlerAgents();

// What people's browsers sent, as often as they did: npm's user-agents (tests/package.json), which are taken from the
// requests to one site.
class BrowserAgents {
 public:
  BrowserAgents();

  const std::string& Draw(std::mt19937_64& random) { return agents_[draw_(random)]; }

 private:
  std::vector<std::string> agents_;
  std::discrete_distribution<size_t> draw_;
};

}  // namespace viewcount
