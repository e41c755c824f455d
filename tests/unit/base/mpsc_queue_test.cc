#include "service/base/mpsc_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace viewcount {
namespace {

struct Number : MpscQueue<Number>::Link {
  explicit Number(int of, int from = 0) : value(of), thread(from) {}
  int value;
  int thread;
};

std::vector<int> Take(MpscQueue<Number>& list) {
  std::vector<int> values;
  list.TakeAll([&](const Number& number) { values.push_back(number.value); });
  return values;
}

TEST(MpscQueueTest, TakesInTheOrderOfPutting) {
  MpscQueue<Number> list;
  Number one(1);
  Number two(2);
  Number three(3);
  list.Put(one);
  list.Put(two);
  list.Put(three);
  EXPECT_EQ(Take(list), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(Take(list), std::vector<int>());
}

TEST(MpscQueueTest, WhoeverFindsItEmptyIsTold) {
  MpscQueue<Number> list;
  Number one(1);
  Number two(2);
  EXPECT_TRUE(list.Put(one));
  EXPECT_FALSE(list.Put(two));
  Take(list);
  EXPECT_TRUE(list.Put(one));
}

TEST(MpscQueueTest, ItemMayBeDestroyedOrPutAgainWhileItIsTaken) {
  MpscQueue<Number> list;
  Number again(1);
  list.Put(again);
  list.Put(*new Number(2));
  list.TakeAll([&](Number& number) {
    if (&number != &again) {
      delete &number;
    } else {
      EXPECT_TRUE(list.Put(number));
    }
  });
  EXPECT_EQ(Take(list), std::vector<int>{1});
}

TEST(MpscQueueTest, ManyThreadsWakeTheTakerForAllTheirItems) {
  constexpr int kThreads = 4;
  constexpr int kItems = 20'000;
  MpscQueue<Number> list;
  std::vector<std::vector<std::unique_ptr<Number>>> items(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kItems; ++i) items[t].push_back(std::make_unique<Number>(i, t));
  }
  std::atomic<int> woken = 0;
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (const auto& of_thread : items) {
    threads.emplace_back([&] {
      for (const auto& item : of_thread) {
        if (list.Put(*item)) ++woken, woken.notify_one();
      }
    });
  }
  std::vector<int> taken(kThreads);
  int sum = 0;
  for (int wakings = 0; sum < kThreads * kItems;) {
    woken.wait(wakings);
    wakings = woken;
    list.TakeAll([&](const Number& number) {
      EXPECT_EQ(number.value, taken[number.thread]++);
      ++sum;
    });
  }
  EXPECT_EQ(taken, std::vector<int>(kThreads, kItems));
}

}  // namespace
}  // namespace viewcount
