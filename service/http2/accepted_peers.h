// Which peers of the gRPC port are connected: limits in all and per address.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "service/http2/http2_limits.h"

namespace viewcount {

// Thread safe. At a limit, the connection that has waited longest without a word of HTTP/2 makes room for the new one,
// so that silent connections keep no honest client out.
class AcceptedPeers {
 public:
  // One admitted connection; it is counted as long as this lives, which the table must outlive. Functions are thread
  // safe.
  class Ticket {
   public:
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    // The peer has begun to speak HTTP/2: it makes room for nobody any more.
    void Greeted();

   private:
    friend class AcceptedPeers;
    Ticket(AcceptedPeers& peers, std::string address, std::function<void()> close)
        : peers_(peers), address_(std::move(address)), close_(std::move(close)) {}

    AcceptedPeers& peers_;
    const std::string address_;
    const std::function<void()> close_;
    // In peers_.silent_.
    bool silent_ = true;
    std::list<Ticket*>::iterator place_;
  };

  enum class Refusal : uint8_t { kNone, kTooMany, kTooManyOfAddress };
  struct Admission {
    // None if refused.
    std::shared_ptr<Ticket> ticket;
    Refusal refusal = Refusal::kNone;
  };

  // What is reported, from any thread. Each may be empty, and must not call back.
  struct Observer {
    // How many connections are open now.
    std::function<void(size_t)> open;
    std::function<void(Refusal)> refused;
    // A silent connection makes room for another.
    std::function<void()> displaced;
  };

  explicit AcceptedPeers(const Http2Limits& limits, Observer observer = {})
      : limits_(limits), observer_(std::move(observer)) {}

  // `address` as AddressKey has it; an empty one has no limit of its own. `close` must end the connection soon, from
  // any thread, and must not call back at once.
  Admission Admit(std::string address, std::function<void()> close);
  // How many connections are open now.
  size_t open() const;

 private:
  // The silent connection that came first, of `address` unless that is null.
  Ticket* OldestSilent(const std::string* address);

  // Both with mutex_ held.
  void SetOpen(size_t open);
  Admission Refuse(Refusal refusal);

  const Http2Limits limits_;
  const Observer observer_;
  mutable std::mutex mutex_;
  // All below are guarded by mutex_.
  boost::unordered_flat_map<std::string, size_t> by_address_;
  // In the order they came.
  std::list<Ticket*> silent_;
  size_t open_ = 0;
};

}  // namespace viewcount
