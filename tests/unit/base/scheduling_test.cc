#include "service/base/scheduling.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <thread>

namespace viewcount {
namespace {

// Returns the calling thread's scheduler slice in nanoseconds. sched_getattr(2) reports it in the fourth of its 64-bit
// words.
uint64_t SliceNow() {
  std::array<uint64_t, 6> words{};
  EXPECT_EQ(syscall(SYS_sched_getattr, 0, words.data(), sizeof(words), 0), 0);
  return words[3];
}

// Kernels before 6.12 do not support slices and report 0.
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
