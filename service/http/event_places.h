// Limits how many connections of a server may hold a stream of events, so that streams leave room for other requests.
#pragma once

#include <absl/status/statusor.h>
#include <absl/utility/utility.h>

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <map>
#include <utility>

#include "service/base/limits.h"
#include "service/base/service_full.h"
#include "service/base/status.h"
#include "service/http/http_limits.h"

namespace viewcount {

// Not thread-safe. Must outlive its places.
class EventPlaces {
 public:
  // Streams may use three quarters of the connections that `limits` allows, in all and for each address.
  explicit EventPlaces(const HttpLimits& limits)
      : in_all_(limits.connections_max - limits.connections_max / 4),
        per_address_(limits.connections_per_address_max - limits.connections_per_address_max / 4) {}

  // A taken place. Its destructor frees it.
  class Place {
   public:
    Place(EventPlaces& owner, const boost::asio::ip::address& peer) : owner_(&owner), peer_(peer) {}
    ~Place() {
      if (owner_ != nullptr) owner_->Free(peer_);
    }
    Place(Place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), peer_(std::move(other.peer_)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(peer_, other.peer_);
      return *this;
    }

   private:
    EventPlaces* owner_;
    boost::asio::ip::address peer_;
  };

  // Returns RESOURCE_EXHAUSTED if there is no place for another stream to `peer`: made by ServiceFull if all places are
  // taken, otherwise by RetryLater. Many clients use the address of a proxy, so the limit of an address does not apply
  // if `shared`.
  absl::StatusOr<Place> Take(const boost::asio::ip::address& peer, bool shared) {
    if (total_ >= in_all_) {
      return ServiceFull("too many streams of events are open; ask for counts instead", kFullStreams,
                         limits::kRetryDelay);
    }
    size_t& streams = streams_[peer];
    if (!shared && streams >= per_address_) {
      if (streams == 0) streams_.erase(peer);
      return RetryLater(absl::StatusCode::kResourceExhausted,
                        "too many streams of events are open from this address; ask for counts instead",
                        limits::kRetryDelay);
    }
    ++total_;
    ++streams;
    return absl::StatusOr<Place>(absl::in_place, *this, peer);
  }

 private:
  void Free(const boost::asio::ip::address& peer) {
    --total_;
    const auto found = streams_.find(peer);
    if (--found->second == 0) streams_.erase(found);
  }

  const size_t in_all_;
  const size_t per_address_;
  size_t total_ = 0;
  std::map<boost::asio::ip::address, size_t> streams_;
};

}  // namespace viewcount
