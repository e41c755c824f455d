// The table of the peers connected to the gRPC port. It enforces the limits in total and per address.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "service/base/mutex.h"
#include "service/grpc/http2/http2_limits.h"

namespace viewcount {

// Thread-safe. At a limit, the connection that has been silent longest is closed to make room for the new one. A
// connection is silent until its peer has sent its first HTTP/2 frame. Thus silent connections cannot keep honest
// clients out.
class AcceptedPeers {
 public:
  // One admitted connection, which counts towards the limits until the ticket is destroyed. The table must outlive the
  // ticket. Thread-safe.
  class Ticket {
   public:
    ~Ticket();
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;

    // Marks the peer as one that speaks HTTP/2. From now on its connection is not closed to make room for another.
    void Greeted();

   private:
    friend class AcceptedPeers;
    Ticket(AcceptedPeers& peers, std::string address, std::function<void()> close)
        : peers_(peers), address_(std::move(address)), close_(std::move(close)) {}

    AcceptedPeers& peers_;
    const std::string address_;
    const std::function<void()> close_;
    // True while the ticket is in `peers_.silent_`.
    bool silent_ ABSL_GUARDED_BY(peers_.mutex_) = true;
    std::list<Ticket*>::iterator place_ ABSL_GUARDED_BY(peers_.mutex_);
  };

  enum class Refusal : uint8_t { kNone, kTooMany, kTooManyOfAddress };
  struct Admission {
    // Null if the connection is refused.
    std::shared_ptr<Ticket> ticket;
    Refusal refusal = Refusal::kNone;
  };

  // Callbacks, which may run on any thread. Each may be empty. A callback must not call AcceptedPeers.
  struct Observer {
    // Receives the number of connections that are open now.
    std::function<void(size_t)> open;
    std::function<void(Refusal)> refused;
    // Called when a silent connection is closed to make room for another.
    std::function<void()> displaced;
  };

  explicit AcceptedPeers(const Http2Limits& limits, Observer observer = {})
      : limits_(limits), observer_(std::move(observer)) {}

  // Admits a connection, or refuses it with the reason. `address` is a key as returned by AddressKey; an empty one has
  // no limit per address. `close` must end the connection soon. It may be called on any thread, and must not call
  // AcceptedPeers before it returns.
  Admission Admit(std::string address, std::function<void()> close);
  // Returns the number of connections that are open now.
  size_t open() const;

 private:
  // Returns the oldest silent connection, or null if there is none. A non-null `address` restricts the search to that
  // address.
  Ticket* OldestSilent(const std::string* address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetOpen(size_t open) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Reports the refusal to the observer and returns it.
  Admission Refuse(Refusal refusal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Http2Limits limits_;
  const Observer observer_;
  mutable Mutex mutex_;
  boost::unordered_flat_map<std::string, size_t> by_address_ ABSL_GUARDED_BY(mutex_);
  // In the order of admission.
  std::list<Ticket*> silent_ ABSL_GUARDED_BY(mutex_);
  size_t open_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace viewcount
