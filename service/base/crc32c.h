// CRC-32C (Castagnoli): the checksum of everything this service keeps on disk itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace viewcount {

// The checksum of `bytes` behind those that gave `before`: Crc32c(b, Crc32c(a)) == Crc32c(a + b). Thread safe.
uint32_t Crc32c(std::string_view bytes, uint32_t before = 0);

}  // namespace viewcount
