// A hash that outsiders cannot predict, for tables whose keys are sent by unknown clients.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace viewcount {

// XXH3 under a random key that belongs to this object and is never written anywhere. Therefore an outsider can neither
// look up the hashed text nor construct two texts with the same hash. Thread-safe, since it does not change after
// construction.
class PrivateHash {
 public:
  PrivateHash();

  uint64_t Of(std::string_view bytes) const;

 private:
  // With this length XXH3 uses nothing of its built-in key, which is publicly known.
  static constexpr size_t kKeyBytes = 192;

  std::array<uint8_t, kKeyBytes> key_;
};

}  // namespace viewcount
