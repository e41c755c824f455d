// A redis-server and its replica behind a TCP proxy, as a failover behind a fixed address has them.
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

// One thread, which must outlive it. Both servers listen on loopback ports for each other.
class RedisPair {
 public:
  // `options` of both, as RedisProcess takes them. Returns when the replica has the master's data.
  RedisPair(std::vector<std::string> options, uint64_t seed);

  RedisProcess& master() { return *servers_[master_]; }
  RedisProcess& replica() { return *servers_[1 - master_]; }
  // Which of the two is the master: 0 or 1.
  size_t master_index() const { return master_; }
  // Leads to the master. Connections stay with the server that they were made to.
  FaultyProxy& proxy() { return *proxy_; }

  // Whether the replica follows the master now.
  bool ReplicaIsWhole();
  // Makes the replica the master, turns the proxy to it, and has the old master follow it if it runs. What the old one
  // was given after the first of these steps is lost. Requires that the replica is whole, or was when its master died.
  void Promote();
  // Promotes when the replica has everything that the master has now; false if it does not get there in time.
  bool PromoteInOrder(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  // Starts the server that was killed, as master or as replica of the present master.
  void Revive(RedisProcess& server);

 private:
  void Follow(RedisProcess& server);

  std::array<uint16_t, 2> ports_;
  std::array<std::unique_ptr<RedisProcess>, 2> servers_;
  size_t master_ = 0;
  std::unique_ptr<FaultyProxy> proxy_;
};

}  // namespace viewcount
