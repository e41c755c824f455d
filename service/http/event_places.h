// Limits how many connections of a server may hold a stream of events, so that streams leave room for other requests.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

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

  // Returns nothing if there is no place for another stream to `peer`. Many clients use the address of a proxy, so the
  // limit of an address does not apply if `shared`.
  std::optional<Place> Take(const boost::asio::ip::address& peer, bool shared) {
    size_t& streams = streams_[peer];
    if (total_ >= in_all_ || (!shared && streams >= per_address_)) {
      if (streams == 0) streams_.erase(peer);
      return std::nullopt;
    }
    ++total_;
    ++streams;
    return std::optional<Place>(std::in_place, *this, peer);
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
