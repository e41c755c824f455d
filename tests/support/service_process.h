// A viewcountd of a test's own that may be killed at any moment and started again over the same data and on the same
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

// One thread, which must outlive it: the kernel kills the service when that thread ends. The data directory is the
// caller's.
class ServiceProcess {
 public:
  struct Options {
    std::string data_dir;
    // What --redis takes.
    std::string redis;
    // Beside those for data, addresses, store and the site `demo`.
    std::vector<std::string> flags;
    // NAME=VALUE, on top of the test's own.
    std::vector<std::string> environment;
  };
  // Picks a port and starts nothing.
  explicit ServiceProcess(Options options);

  // Does not wait: what happens next may be its end.
  void Start();
  // From the next start on.
  void SetEnvironment(std::vector<std::string> environment) { options_.environment = std::move(environment); }
  // Until gRPC answers and the store has come, and on a new data directory all addresses are open; false when the
  // process ended or `timeout` passed first.
  bool WaitUntilReady(std::chrono::milliseconds timeout = std::chrono::seconds(60));
  // SIGKILL, and waits for its end.
  void Kill() { process_.Kill(); }
  // SIGTERM; the exit code, or nothing if it was not gone within the time that is promised to supervisors.
  std::optional<int> Stop();
  // Waits for it to end by itself; nothing if it did not, or was killed.
  std::optional<int> WaitForEnd(std::chrono::milliseconds timeout);
  // True once it has ended by itself.
  bool HasEnded() { return process_.HasEnded(); }

  pid_t pid() const { return process_.pid(); }
  const std::string& data_dir() const { return options_.data_dir; }
  // HOST:PORT of gRPC, the same after every start.
  const std::string& server() const { return server_; }
  // HOST:PORT of `name`: http or admin. Once it is ready; empty before.
  std::string Address(const std::string& name) const;
  // A new channel with connections of its own, so that it knows nothing of earlier failures.
  std::shared_ptr<grpc::Channel> NewChannel() const;
  // All it logged, of all starts.
  std::string Log() const;
  // A number of /proc/PID/status in bytes, such as VmHWM; 0 when it does not run.
  uint64_t Memory(const std::string& field) const;
  // Time on processors since its start, children left out; 0 when it does not run.
  std::chrono::milliseconds CpuTime() const;

 private:
  std::string log_path() const { return options_.data_dir + ".log"; }

  Options options_;
  uint16_t port_;
  std::string server_;
  ChildProcess process_;
};

}  // namespace viewcount
