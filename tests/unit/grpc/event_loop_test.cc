#include "service/grpc/http2/event_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace viewcount {
namespace {

class Action : public LoopTask {
 public:
  explicit Action(std::function<void()> run) : run_(std::move(run)) {}
  void Run() override { run_(); }

 private:
  std::function<void()> run_;
};

class CountedFlush : public Flushable {
 public:
  void Flush() override { ++flushes; }
  int flushes = 0;
};

// Waits until the loop has finished all tasks that were posted before.
void Settle(EventLoop& loop) {
  std::promise<void> done;
  boost::asio::post(loop.context(), [&] { done.set_value(); });
  done.get_future().wait();
}

TEST(EventLoopTest, TasksRunOnItsThreadInOrder) {
  std::vector<int> order;
  std::vector<std::unique_ptr<Action>> tasks;
  std::thread::id thread;
  EventLoop loop;
  for (int i = 0; i < 1'000; ++i) {
    tasks.push_back(std::make_unique<Action>([&, i] {
      order.push_back(i);
      thread = std::this_thread::get_id();
    }));
  }
  for (const auto& task : tasks) loop.Post(*task);
  Settle(loop);
  ASSERT_EQ(order.size(), 1'000u);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(order[i], i);
  EXPECT_NE(thread, std::this_thread::get_id());
}

TEST(EventLoopTest, TasksOfManyThreadsAllRunOnceAndEachThreadsInOrder) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 20'000;
  std::vector<std::vector<int>> orders(kThreads);
  std::vector<std::vector<std::unique_ptr<Action>>> tasks(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kTasks; ++i) {
      tasks[t].push_back(std::make_unique<Action>([&order = orders[t], i] { order.push_back(i); }));
    }
  }
  {
    EventLoop loop;
    std::vector<std::jthread> threads;
    for (auto& of_thread : tasks) {
      threads.emplace_back([&] {
        for (const auto& task : of_thread) loop.Post(*task);
      });
    }
    threads.clear();
  }
  for (const auto& order : orders) {
    ASSERT_EQ(order.size(), size_t{kTasks});
    for (int i = 0; i < kTasks; ++i) ASSERT_EQ(order[i], i);
  }
}

TEST(EventLoopTest, BusyLoopIsWokenOnceForAll) {
  EventLoop loop;
  std::promise<void> go;
  std::promise<void> blocked;
  boost::asio::post(loop.context(), [&] {
    blocked.set_value();
    go.get_future().wait();
  });
  blocked.get_future().wait();
  int ran = 0;
  // An event that is posted after the first task sets this value. It is 100 only if a single event runs all tasks.
  int ran_before = 0;
  std::vector<std::unique_ptr<Action>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(std::make_unique<Action>([&] { ++ran; }));
  loop.Post(*tasks[0]);
  boost::asio::post(loop.context(), [&] { ran_before = ran; });
  for (int i = 1; i < 100; ++i) loop.Post(*tasks[i]);
  go.set_value();
  Settle(loop);
  EXPECT_EQ(ran_before, 100);
  EXPECT_EQ(ran, 100);
}

TEST(EventLoopTest, TaskMayPostAnotherAndDeleteItself) {
  EventLoop loop;
  std::promise<void> done;
  auto second = std::make_unique<Action>([&] { done.set_value(); });
  Action* first = nullptr;
  first = new Action([&] {
    EventLoop& same = loop;
    LoopTask& next = *second;
    delete first;
    same.Post(next);
  });
  loop.Post(*first);
  done.get_future().wait();
  Settle(loop);
}

TEST(EventLoopTest, TaskMayBePostedAgainWhileItRuns) {
  EventLoop loop;
  std::promise<void> done;
  int runs = 0;
  std::unique_ptr<Action> task;
  task = std::make_unique<Action>([&] {
    if (++runs == 1'000) return done.set_value();
    loop.Post(*task);
  });
  loop.Post(*task);
  done.get_future().wait();
  EXPECT_EQ(runs, 1'000);
  Settle(loop);
}

TEST(EventLoopTest, OutputsAreFlushedOnceBehindTheTasks) {
  EventLoop loop;
  const auto output = std::make_shared<CountedFlush>();
  int flushed_before = -1;
  Action first([&] { loop.FlushLater(output); });
  Action second([&] { flushed_before = output->flushes; });
  std::promise<void> go;
  boost::asio::post(loop.context(), [&] { go.get_future().wait(); });
  loop.Post(first);
  loop.Post(second);
  go.set_value();
  Settle(loop);
  EXPECT_EQ(flushed_before, 0);
  EXPECT_EQ(output->flushes, 1);
}

TEST(EventLoopTest, WhatIsPostedAfterStopRunsAtTheEnd) {
  auto loop = std::make_unique<EventLoop>();
  loop->Stop();
  bool ran = false;
  Action task([&] { ran = true; });
  loop->Post(task);
  EXPECT_FALSE(ran);
  loop.reset();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace viewcount
