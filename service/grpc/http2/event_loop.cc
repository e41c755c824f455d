#include "service/grpc/http2/event_loop.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "service/base/scheduling.h"

namespace viewcount {

EventLoop::EventLoop()
    : input_(kBufferBytes, '\0'), thread_([this] {
        AskForSlice(kConnectionsSlice);
        context_.run();
      }) {}

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
  if (tasks_.Put(task)) boost::asio::post(context_, [this] { RunTasks(); });
}

void EventLoop::RunTasks() {
  tasks_.TakeAll([](LoopTask& task) { task.Run(); });
  FlushOutputs();
}

void EventLoop::FlushOutputs() {
  // Flushing may end calls, and that may request another flush.
  while (!outputs_.empty()) {
    for (const auto& output : std::exchange(outputs_, {})) output->Flush();
  }
}

}  // namespace viewcount
