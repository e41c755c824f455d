// A thread that serves connections. It owns their reactor and runs tasks that other threads post.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "service/base/mpsc_queue.h"

namespace viewcount {

// A task that runs on a loop's thread. Posting it does not allocate. Its owner keeps it alive until Run, which may
// delete it.
class LoopTask : public MpscQueue<LoopTask>::Link {
 public:
  virtual ~LoopTask() = default;
  virtual void Run() = 0;
};

// An object that gathers output and sends it in one step.
class Flushable {
 public:
  virtual ~Flushable() = default;
  virtual void Flush() = 0;
};

// Functions must be called on the loop's thread unless their comment says otherwise.
class EventLoop {
 public:
  EventLoop();
  // Stops the loop. Then runs the tasks that are still posted, on the thread of the caller.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  boost::asio::io_context& context() { return context_; }

  // Posts a task. Thread-safe. Several tasks posted while the loop is busy wake it once, and run in the order of
  // posting.
  void Post(LoopTask& task);

  // Schedules one flush of `output` after the current task or event.
  void FlushLater(std::shared_ptr<Flushable> output) { outputs_.push_back(std::move(output)); }
  void FlushOutputs();

  // Ends the thread. Must be called on another thread. A second call does nothing.
  void Stop();

  // Buffers shared by everything on the loop. Their contents are valid during one read or one write only.
  std::string& input() { return input_; }
  std::string& output() { return output_; }

  // The bytes held by the calls of the loop's connections: requests not yet delivered, and answers not yet sent.
  size_t held_bytes = 0;

 private:
  // With larger reads, fewer system calls carry the same bytes. A batch of 1,000 views has about 30 kB.
  static constexpr size_t kBufferBytes = 256 << 10;

  void RunTasks();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  MpscQueue<LoopTask> tasks_;
  std::vector<std::shared_ptr<Flushable>> outputs_;
  std::string input_;
  std::string output_;
  std::thread thread_;
};

}  // namespace viewcount
