// Lists of real user agents: those of bots, and those of people. Both functions end the process if their file is
// missing. The error message says which command creates the file.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace viewcount {

// Returns all examples that crawler-user-agents gives for its patterns (service/visitors/package.json).
std::vector<std::string> CrawlerAgents();

// User agents of people's browsers, drawn with their real frequency. They come from npm's user-agents
// (tests/package.json), which collects them from the requests to one site. Not thread-safe.
class BrowserAgents {
 public:
  BrowserAgents();

  const std::string& Draw(std::mt19937_64& random) { return agents_[draw_(random)]; }

 private:
  std::vector<std::string> agents_;
  std::discrete_distribution<size_t> draw_;
};

}  // namespace viewcount
