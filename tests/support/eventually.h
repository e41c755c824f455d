// Waiting in tests for a condition with a deadline, never for a fixed time.
#pragma once

#include <chrono>
#include <thread>

namespace viewcount {

// Evaluates `condition` every 5 ms until it holds. Returns false if it did not hold within `patience`.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::milliseconds patience = std::chrono::seconds(10)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace viewcount
