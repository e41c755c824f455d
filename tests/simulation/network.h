// What is on its way between the processes and the store: calls that hang, and commands that their senders have given
// up.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <vector>

#include "tests/simulation/random.h"

namespace viewcount::simulation {

// How often calls fail, in a million.
struct NetworkFaults {
  // Carried out never, or later than its sender waits.
  uint32_t lose = 0;
  uint32_t late = 0;
  // Carried out, but the answer does not come.
  uint32_t lose_answer = 0;
  uint32_t out_of_memory = 0;
  // A part or removal of which a command is refused: before the first write, or behind it, which leaves the shard torn.
  uint32_t refuse = 0;
  uint32_t tear = 0;
  // Waits on its way there, or on its way back.
  uint32_t hang = 0;
};

// One thread.
class Network {
 public:
  explicit Network(Random& random) : random_(random) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // What happens from now on.
  NetworkFaults faults;

  // A process waits here until the world lets it go on; false if its connection broke meanwhile. `owner` is whose call
  // it is. If the coroutine goes away, so does the wait.
  boost::asio::awaitable<bool> Hang(const void* owner);
  size_t hanging() const { return hanging_.size(); }
  // Lets one go on, chosen by chance; nothing if none hangs. The io_context of its process must be polled then.
  void ReleaseOne(bool broken);
  // All of one owner.
  void ReleaseAll(const void* owner, bool broken);

  // A command to be carried out later, or never.
  void Delay(std::function<boost::asio::awaitable<void>()> command) { late_.push_back(std::move(command)); }
  size_t late() const { return late_.size(); }
  // Carries out one, chosen by chance.
  void DeliverOne();

  Random& random() { return random_; }

 private:
  struct Wait;

  Random& random_;
  std::vector<Wait*> hanging_;
  std::vector<std::function<boost::asio::awaitable<void>()>> late_;
  // Where late commands are carried out: their senders may be dead.
  boost::asio::io_context context_{1};
};

}  // namespace viewcount::simulation
