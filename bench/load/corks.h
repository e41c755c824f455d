// Holds back the data that is written to a server's sockets, so that several small requests are sent together.
#pragma once

#include <string>
#include <vector>

namespace viewcount::bench {

// gRPC writes the request of each call separately. A write that is sent to the other end costs four times as much as a
// write that only appends. Sockets that were reconnected are not corked. Not thread-safe.
class Corks {
 public:
  // Finds the TCP sockets of this process that are connected to the port of `target` (HOST:PORT) now.
  explicit Corks(const std::string& target);

  // From Push until Pull, writes wait. The kernel sends them after 200 ms in any case.
  void Push() { Set(true); }
  void Pull() { Set(false); }

 private:
  void Set(bool corked);

  std::vector<int> sockets_;
  bool corked_ = false;
};

}  // namespace viewcount::bench
