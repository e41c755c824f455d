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

  // What happened since the start, for metrics.
  struct Totals {
    size_t connections = 0;
    uint64_t refused = 0;
    uint64_t refused_of_address = 0;
    // Silent connections that made room.
    uint64_t displaced = 0;
  };

  explicit AcceptedPeers(const Http2Limits& limits) : limits_(limits) {}

  // `address` as AddressKey has it; an empty one has no limit of its own. `close` must end the connection soon, from
  // any thread, and must not call back at once.
  Admission Admit(std::string address, std::function<void()> close);
  Totals totals() const;

 private:
  // The silent connection that came first, of `address` unless that is null.
  Ticket* OldestSilent(const std::string* address);

  const Http2Limits limits_;
  mutable std::mutex mutex_;
  // All below are guarded by mutex_.
  boost::unordered_flat_map<std::string, size_t> by_address_;
  // In the order they came.
  std::list<Ticket*> silent_;
  Totals totals_;
};

}  // namespace viewcount
