// A hash that nobody outside can foresee: for tables that are filled with what strangers send.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace viewcount {

// XXH3 under a random key that is the object's own and is never written anywhere, so nobody can look up what was
// hashed, or prepare two texts with one hash. Immutable; thread safe.
class PrivateHash {
 public:
  PrivateHash();

  uint64_t Of(std::string_view bytes) const;

 private:
  // Enough for XXH3 to take nothing from its own, which everybody knows.
  static constexpr size_t kKeyBytes = 192;

  std::array<uint8_t, kKeyBytes> key_;
};

}  // namespace viewcount
