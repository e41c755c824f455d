// Does only the work that counting views over gRPC needs at least: decoding and adding.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "service/base/hash.h"

namespace viewcount::bench {

// One hash map from article to views. Thread-safe: a mutex is locked once per message.
class ViewAdder {
 public:
  // Adds the views of an encoded RecordViewsRequest. Validates only the lengths that the wire format needs. Returns the
  // number of views. If the bytes are malformed, returns 0, and the content of the map is unspecified.
  uint64_t Add(std::string_view message);

 private:
  struct Hash {
    using is_transparent = void;
    // Every bit of the hash depends on every bit of the ID, so the map need not mix it again.
    using is_avalanching = void;
    size_t operator()(std::string_view id) const { return Hash64(id); }
  };

  std::mutex mutex_;
  boost::unordered_flat_map<std::string, uint64_t, Hash, std::equal_to<>> views_;
};

}  // namespace viewcount::bench
