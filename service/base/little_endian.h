// Codes unsigned integers as little-endian bytes, as all of our own file formats hold them.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "service/base/check.h"

// The functions are thread-safe and keep nothing. The type of a number decides how many bytes it takes. So a caller
// that codes a signed number must convert it first.
namespace viewcount::little_endian {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are in memory");

// The types with a fixed width.
template <typename T>
concept Number =
    std::same_as<T, uint8_t> || std::same_as<T, uint16_t> || std::same_as<T, uint32_t> || std::same_as<T, uint64_t>;

// Writes `number` to the sizeof(N) bytes at `to`. They need no alignment.
template <Number N>
void Store(void* to, N number) {
  std::memcpy(to, &number, sizeof(number));
}

// Returns the number in the sizeof(N) bytes at `from`. They need no alignment.
template <Number N>
N Load(const void* from) {
  N number;
  std::memcpy(&number, from, sizeof(number));
  return number;
}

// Appends the sizeof(N) bytes of `number` to `text`.
template <Number N>
void Append(std::string& text, N number) {
  char bytes[sizeof(number)];
  Store(bytes, number);
  text.append(bytes, sizeof(bytes));
}

// Removes the first sizeof(N) bytes of `text` and returns their number. The caller must have checked that `text` has so
// many bytes.
template <Number N>
N Take(std::string_view& text) {
  VIEWCOUNT_CHECK(text.size() >= sizeof(N));
  const N number = Load<N>(text.data());
  text.remove_prefix(sizeof(N));
  return number;
}

}  // namespace viewcount::little_endian
