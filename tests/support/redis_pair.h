// A redis-server and its replica behind a TCP proxy, like a failover setup with a fixed address.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/faulty_proxy.h"
#include "tests/support/redis_process.h"

namespace viewcount {

// Used by one thread only, which must outlive the pair. The two servers listen on loopback ports, so that they can
// connect to each other.
class RedisPair {
 public:
  // Starts both servers with `options`, in the format of RedisProcess. Returns when the replica has the master's data.
  // Ends the test program if the replica does not follow in time.
  RedisPair(std::vector<std::string> options, uint64_t seed);

  RedisProcess& master() { return *servers_[master_]; }
  RedisProcess& replica() { return *servers_[1 - master_]; }
  // Returns the index of the master: 0 or 1.
  size_t master_index() const { return master_; }
  // Returns the proxy that leads to the master. Existing connections stay with the server that they were made to.
  FaultyProxy& proxy() { return *proxy_; }

  // Returns true if the replica follows the master now.
  bool ReplicaIsWhole();
  // Makes the replica the master, points the proxy to it, and makes the old master follow it if it is running. Writes
  // to the old master after the first of these steps are lost. Requires that the replica is whole, or that it was whole
  // when its master died.
  void Promote();
  // Promotes the replica when it has everything that the master has now. Returns false if that does not happen in time.
  bool PromoteInOrder(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  // Starts a server that was killed, as the master or as a replica of the present master.
  void Revive(RedisProcess& server);

 private:
  void Follow(RedisProcess& server);

  std::array<uint16_t, 2> ports_;
  std::array<std::unique_ptr<RedisProcess>, 2> servers_;
  size_t master_ = 0;
  std::unique_ptr<FaultyProxy> proxy_;
};

}  // namespace viewcount
