// The least that counting views over gRPC takes: decode and add, nothing else.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "service/base/hash.h"

namespace viewcount::bench {

// One hash map of article to views. Thread safe: a mutex, taken once for a message.
class ViewAdder {
 public:
  // Adds the views of an encoded RecordViewsRequest. Looks at nothing but the lengths that the wire format needs.
  // Returns how many views that were; nothing is promised of the map when the bytes are malformed: then it is 0.
  uint64_t Add(std::string_view message);

 private:
  struct Hash {
    using is_transparent = void;
    // Every bit of it depends on every bit of the ID, so that the map need not mix again.
    using is_avalanching = void;
    size_t operator()(std::string_view id) const { return Hash64(id); }
  };

  std::mutex mutex_;
  boost::unordered_flat_map<std::string, uint64_t, Hash, std::equal_to<>> views_;
};

}  // namespace viewcount::bench
