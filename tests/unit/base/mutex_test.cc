#include "service/base/mutex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <thread>

namespace viewcount {
namespace {

// A number that one thread sets and another waits for.
struct Box {
  Mutex mutex;
  std::condition_variable changed;
  int number ABSL_GUARDED_BY(mutex) = 0;

  void Set(int to) {
    {
      const MutexLock lock(mutex);
      number = to;
    }
    changed.notify_one();
  }
};

TEST(MutexLock, FreesTheMutexWhileItWaits) {
  Box box;
  std::thread other([&] { box.Set(1); });
  {
    MutexLock lock(box.mutex);
    while (box.number == 0) lock.Wait(box.changed);
    EXPECT_EQ(box.number, 1);
  }
  other.join();
}

TEST(MutexLock, WaitsUntilTheDeadlineWithoutANotification) {
  Box box;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
  MutexLock lock(box.mutex);
  while (box.number == 0) {
    if (!lock.WaitUntil(box.changed, deadline)) break;
  }
  EXPECT_GE(std::chrono::steady_clock::now(), deadline);
}

TEST(MutexLock, CanBeReleasedBeforeItsEnd) {
  Box box;
  MutexLock lock(box.mutex);
  lock.Unlock();
  box.Set(2);
  lock.Lock();
  EXPECT_EQ(box.number, 2);
}

TEST(MutexLock, IsRecursiveOnARecursiveMutex) {
  RecursiveMutex mutex;
  int calls = 0;
  const auto inner = [&] {
    const MutexLock lock(mutex);
    ++calls;
  };
  const MutexLock lock(mutex);
  inner();
  EXPECT_EQ(calls, 1);
}

TEST(ReaderLock, LetsOtherReadersIn) {
  SharedMutex mutex;
  const ReaderLock lock(mutex);
  std::thread other([&] { const ReaderLock second(mutex); });
  other.join();
}

}  // namespace
}  // namespace viewcount
