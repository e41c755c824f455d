// A thread that serves connections: its reactor, and what other threads hand back to it.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "service/base/handover_list.h"

namespace viewcount {

// Something to be done on a loop's thread; posting it allocates nothing. Its owner keeps it alive until Run, which may
// delete it.
class LoopTask : public HandoverList<LoopTask>::Link {
 public:
  virtual ~LoopTask() = default;
  virtual void Run() = 0;
};

// What gathers output and sends it at once.
class Flushable {
 public:
  virtual ~Flushable() = default;
  virtual void Flush() = 0;
};

// Functions belong to the loop's thread unless they say otherwise.
class EventLoop {
 public:
  EventLoop();
  // Runs what was still posted, on the caller's thread, after the loop's own has ended.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  boost::asio::io_context& context() { return context_; }

  // Any thread. Many tasks posted while the loop is busy wake it once, and run in the order they were posted.
  void Post(LoopTask& task);

  // Has `output` flushed once, after the task or event that is being handled.
  void FlushLater(std::shared_ptr<Flushable> output) { outputs_.push_back(std::move(output)); }
  void FlushOutputs();

  // Ends the thread; called once, from another one.
  void Stop();

  // Memory that everything on the loop shares, for the time of one read and one write.
  std::string& input() { return input_; }
  std::string& output() { return output_; }

  // What the calls of the loop's connections hold: requests that are not handed over yet, answers that are not sent.
  size_t held_bytes = 0;

 private:
  // Larger reads let fewer calls of the kernel carry more; a batch of 1,000 views has some 30 kB.
  static constexpr size_t kBufferBytes = 256 << 10;

  void RunTasks();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  HandoverList<LoopTask> tasks_;
  std::vector<std::shared_ptr<Flushable>> outputs_;
  std::string input_;
  std::string output_;
  std::thread thread_;
};

}  // namespace viewcount
