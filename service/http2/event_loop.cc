#include "service/http2/event_loop.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace viewcount {

EventLoop::EventLoop() : input_(kBufferBytes, '\0'), thread_([this] { context_.run(); }) {}

EventLoop::~EventLoop() {
  Stop();
  RunTasks();
}

void EventLoop::Stop() {
  guard_.reset();
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void EventLoop::Post(LoopTask& task) {
  LoopTask* newest = tasks_.load(std::memory_order_relaxed);
  do {
    task.next_ = newest;
  } while (!tasks_.compare_exchange_weak(newest, &task, std::memory_order_release, std::memory_order_relaxed));
  // Whoever found the list empty wakes the loop for all who come before it looks.
  if (newest == nullptr) boost::asio::post(context_, [this] { RunTasks(); });
}

void EventLoop::RunTasks() {
  LoopTask* newest = tasks_.exchange(nullptr, std::memory_order_acquire);
  LoopTask* oldest = nullptr;
  while (newest != nullptr) {
    LoopTask* const before = newest->next_;
    newest->next_ = std::exchange(oldest, newest);
    newest = before;
  }
  while (oldest != nullptr) {
    LoopTask* const after = oldest->next_;
    oldest->Run();
    oldest = after;
  }
  FlushOutputs();
}

void EventLoop::FlushOutputs() {
  // Flushing may end calls, which may ask for another flush.
  while (!outputs_.empty()) {
    for (const auto& output : std::exchange(outputs_, {})) output->Flush();
  }
}

}  // namespace viewcount
