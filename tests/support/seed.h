// Seeds of randomised tests.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace viewcount {

// Returns a new seed for each run and prints it. VIEWCOUNT_TEST_SEED=N repeats a run.
inline uint64_t TestSeed() {
  const char* given = std::getenv("VIEWCOUNT_TEST_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("VIEWCOUNT_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return seed;
}

}  // namespace viewcount
