#include "client/cpp/backoff.h"

#include <gtest/gtest.h>

namespace viewcount::client {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToTheLongestWithJitter) {
  Backoff backoff(milliseconds(100), milliseconds(1'000));
  for (int base : {100, 200, 400, 800, 1'000, 1'000}) {
    const auto delay = backoff.Next(milliseconds(0));
    EXPECT_GE(delay, milliseconds(base / 2));
    EXPECT_LE(delay, milliseconds(base));
  }
}

TEST(Backoff, NeverComesBeforeTheServiceAllows) {
  Backoff backoff(milliseconds(10), milliseconds(20));
  for (int i = 0; i < 100; ++i) {
    const auto delay = backoff.Next(milliseconds(500));
    EXPECT_GE(delay, milliseconds(500));
    EXPECT_LE(delay, milliseconds(625));
  }
}

}  // namespace
}  // namespace viewcount::client
