// CRC-32C (Castagnoli), the checksum of all files that this service writes itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace viewcount {

// Returns the checksum of `bytes`, appended to the bytes whose checksum is `before`. Crc32c(b, Crc32c(a)) equals
// Crc32c(a + b). Thread-safe.
uint32_t Crc32c(std::string_view bytes, uint32_t before = 0);

}  // namespace viewcount
