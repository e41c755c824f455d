// A real redis-server for one test: on a UNIX socket in a folder of its own, ended and removed with the test.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/temporary_directory.h"

struct redisContext;
struct redisReply;

namespace viewcount {

// One thread. Ends the test program with a message if redis-server is missing or does not start: nothing is skipped.
class RedisProcess {
 public:
  // `options` as on the command line: {"--appendonly", "yes"}. Starts it and waits until it answers.
  explicit RedisProcess(std::vector<std::string> options = {});
  ~RedisProcess();
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;

  // What --redis takes.
  std::string url() const { return "redis+unix://" + socket_path(); }
  std::string socket_path() const { return folder_.path() + "/redis.sock"; }
  std::string folder() const { return folder_.path(); }
  pid_t pid() const { return process_.pid(); }

  // kill -9, and waits for its end.
  void Kill();
  // Starts it again over the same files; with other options if some are given.
  void Start();
  void Start(std::vector<std::string> options);

  // Until everything it has answered is in its append-only file.
  void WaitUntilWritten();

  // The answer as text: an integer in digits, an array with its elements joined by spaces, nil as "(nil)", an error as
  // it is.
  std::string Command(const std::vector<std::string>& words);
  // An array's elements.
  std::vector<std::string> List(const std::vector<std::string>& words);

 private:
  using Answer = std::unique_ptr<redisReply, void (*)(void*)>;

  Answer Send(const std::vector<std::string>& words);
  // False if it ended instead.
  bool WaitUntilItAnswers();
  redisContext* Connect();

  TemporaryDirectory folder_;
  std::vector<std::string> options_;
  ChildProcess process_;
  redisContext* context_ = nullptr;
};

}  // namespace viewcount
