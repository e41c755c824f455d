// A real redis-server for one test. It listens on a UNIX socket in a temporary folder. The destructor ends the server
// and removes the folder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/temporary_directory.h"

struct redisContext;
struct redisReply;

namespace viewcount {

// Used by one thread only. Ends the test program with a message if redis-server is missing or does not start, so that
// no test is skipped.
class RedisProcess {
 public:
  // Starts the server and waits until it answers. `options` have the form of the command line: {"--appendonly", "yes"}.
  explicit RedisProcess(std::vector<std::string> options = {});
  ~RedisProcess();
  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;

  // Returns the value for --redis.
  std::string url() const { return "redis+unix://" + socket_path(); }
  std::string socket_path() const { return folder_.path() + "/redis.sock"; }
  std::string folder() const { return folder_.path(); }
  pid_t pid() const { return process_.pid(); }

  // Sends SIGKILL and waits until the process has ended.
  void Kill();
  // Starts the server again over the same files, with other options if some are given.
  void Start();
  void Start(std::vector<std::string> options);

  // Waits until everything that the server has answered is in its append-only file.
  void WaitUntilWritten();

  // Runs a command and returns its answer as text. An integer is written in digits, an array as its elements joined by
  // spaces, and nil as "(nil)". An error is returned unchanged.
  std::string Command(const std::vector<std::string>& words);
  // Runs a command and returns the elements of its answer, an array.
  std::vector<std::string> List(const std::vector<std::string>& words);

 private:
  using Answer = std::unique_ptr<redisReply, void (*)(void*)>;

  Answer Send(const std::vector<std::string>& words);
  // Waits until the server answers. Returns false if the process ended instead.
  bool WaitUntilItAnswers();
  redisContext* Connect();

  TemporaryDirectory folder_;
  std::vector<std::string> options_;
  ChildProcess process_;
  redisContext* context_ = nullptr;
};

}  // namespace viewcount
