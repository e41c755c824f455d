// The only source of random numbers in a simulated world.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace viewcount::simulation {

// A random number generator. Not thread-safe. A seed gives the same numbers on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // Returns a number from 0 to `count` - 1.
  uint64_t Below(uint64_t count) { return engine_() % count; }
  // Returns a number from `low` to `high`, both included.
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  // Returns true with a probability of `per_million` in a million.
  bool Chance(uint32_t per_million) { return per_million > 0 && Below(1'000'000) < per_million; }
  bool Half() { return (engine_() & 1) != 0; }
  template <typename Value>
  Value& Pick(std::vector<Value>& values) {
    return values[Below(values.size())];
  }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace viewcount::simulation
