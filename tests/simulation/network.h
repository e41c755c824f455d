// The network between the processes and the store. It holds calls that hang, and commands that their senders have given
// up.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <vector>

#include "tests/simulation/random.h"

namespace viewcount::simulation {

// How often calls fail, per million.
struct NetworkFaults {
  // The command is never carried out, or it is carried out after its sender has stopped waiting.
  uint32_t lose = 0;
  uint32_t late = 0;
  // The command is carried out, but the answer is lost.
  uint32_t lose_answer = 0;
  uint32_t out_of_memory = 0;
  // One command of a part or of a removal is refused. This happens before the first write, or after it, which leaves
  // the shard torn.
  uint32_t refuse = 0;
  uint32_t tear = 0;
  // The call hangs on the way to the store, or on the way back.
  uint32_t hang = 0;
};

// All hanging calls and late commands of a world. Not thread-safe. `random` must outlive it.
class Network {
 public:
  explicit Network(Random& random) : random_(random) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // The faults from now on.
  NetworkFaults faults;

  // Waits until the world lets the call continue. Returns false if its connection broke meanwhile. `owner` identifies
  // the connection of the call. The wait ends when the coroutine is destroyed.
  boost::asio::awaitable<bool> Hang(const void* owner);
  size_t hanging() const { return hanging_.size(); }
  // Lets one call continue, chosen at random. Does nothing if no call hangs. The io_context of its process must be
  // polled afterwards.
  void ReleaseOne(bool broken);
  // Lets all calls of one owner continue.
  void ReleaseAll(const void* owner, bool broken);

  // Keeps a command that is carried out later, or never.
  void Delay(std::function<boost::asio::awaitable<void>()> command) { late_.push_back(std::move(command)); }
  size_t late() const { return late_.size(); }
  // Carries out one late command, chosen at random.
  void DeliverOne();

  Random& random() { return random_; }

 private:
  struct Wait;

  Random& random_;
  std::vector<Wait*> hanging_;
  std::vector<std::function<boost::asio::awaitable<void>()>> late_;
  // Late commands run in this context, because their senders may be dead.
  boost::asio::io_context context_{1};
};

}  // namespace viewcount::simulation
