#include "service/base/scheduling.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <thread>

namespace viewcount {
namespace {

// The calling thread's slice in nanoseconds, as sched_getattr(2) tells it: the fourth of its 64-bit words.
uint64_t SliceNow() {
  std::array<uint64_t, 6> words{};
  EXPECT_EQ(syscall(SYS_sched_getattr, 0, words.data(), sizeof(words), 0), 0);
  return words[3];
}

// Kernels before 6.12 know no slice, and tell 0.
TEST(SchedulingTest, TheSliceIsThatOfTheThreadWhichAskedForIt) {
  const uint64_t before = SliceNow();
  uint64_t asked = 0;
  std::thread([&] {
    AskForSlice(kLaneSlice);
    asked = SliceNow();
  }).join();
  EXPECT_EQ(asked, before == 0 ? 0 : std::chrono::nanoseconds(kLaneSlice).count());
  EXPECT_EQ(SliceNow(), before);
}

}  // namespace
}  // namespace viewcount
