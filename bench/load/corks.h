// Holds back what is written to a server's sockets, so that several small requests leave together.
#pragma once

#include <string>
#include <vector>

namespace viewcount::bench {

// gRPC writes each call's request by itself, and a write that reaches the other end costs four times one that only
// appends. Reconnected sockets are left alone. Not thread safe.
class Corks {
 public:
  // The TCP sockets of this process that are connected to the port of `target` (HOST:PORT) now.
  explicit Corks(const std::string& target);

  // From now until Pull, writes wait (the kernel lets them go after 200 ms anyhow).
  void Push() { Set(true); }
  void Pull() { Set(false); }

 private:
  void Set(bool corked);

  std::vector<int> sockets_;
  bool corked_ = false;
};

}  // namespace viewcount::bench
