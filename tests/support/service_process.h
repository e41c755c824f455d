// A viewcountd for one test. The test may kill it at any moment and start it again over the same data and on the same
// port.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace viewcount {

// Used by one thread only, which must outlive it: the kernel kills the service when that thread ends. The caller owns
// the data directory.
class ServiceProcess {
 public:
  struct Options {
    std::string data_dir;
    // The value for --redis.
    std::string redis;
    // Further flags, in addition to those for data, addresses, store and the site `demo`.
    std::vector<std::string> flags;
    // Environment variables as NAME=VALUE, in addition to those of the test.
    std::vector<std::string> environment;
  };
  // Picks a free port but starts no process.
  explicit ServiceProcess(Options options);

  // Starts the process without waiting, because a test may expect that the process ends.
  void Start();
  // Sets the environment for all later starts.
  void SetEnvironment(std::vector<std::string> environment) { options_.environment = std::move(environment); }
  // Waits until gRPC answers and the store is available. On a new data directory it also waits until all addresses are
  // open. Returns false if the process ended or `timeout` passed first.
  bool WaitUntilReady(std::chrono::milliseconds timeout = std::chrono::seconds(60));
  // Sends SIGKILL and waits until the process has ended.
  void Kill() { process_.Kill(); }
  // Sends SIGTERM. Returns the exit code, or nothing if the process did not end within the time that is promised to
  // supervisors.
  std::optional<int> Stop();
  // Waits until the process ends by itself. Returns its exit code, or nothing if it did not end in time or was killed.
  std::optional<int> WaitForEnd(std::chrono::milliseconds timeout);
  // Returns true if the process has ended by itself.
  bool HasEnded() { return process_.HasEnded(); }

  pid_t pid() const { return process_.pid(); }
  const std::string& data_dir() const { return options_.data_dir; }
  // Returns HOST:PORT of gRPC, which is the same after every start.
  const std::string& server() const { return server_; }
  // Returns HOST:PORT of `name`: http, backend or admin. Empty before the service is ready for the first time.
  std::string Address(const std::string& name) const;
  // Returns a new channel with its own connections, so that earlier failures do not affect it.
  std::shared_ptr<grpc::Channel> NewChannel() const;
  // Returns the log of all starts.
  std::string Log() const;
  // Returns a number of /proc/PID/status in bytes, such as VmHWM. Returns 0 if the process is not running.
  uint64_t Memory(const std::string& field) const;
  // Returns the processor time since the start without that of children. Returns 0 if the process is not running.
  std::chrono::milliseconds CpuTime() const;

 private:
  std::string log_path() const { return options_.data_dir + ".log"; }

  Options options_;
  uint16_t port_;
  std::string server_;
  ChildProcess process_;
};

}  // namespace viewcount
