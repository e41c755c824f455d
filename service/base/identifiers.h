// The identifiers (docs/PROTOCOL.md, "Identifiers"). Each has a type of its own, so that they cannot be confused.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "service/base/limits.h"

namespace viewcount {

// A random 128-bit number. `Tag` makes each kind a different type. All bytes zero means "none". A regular value type.
template <typename Tag>
struct Id128 {
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const Id128&) const = default;
  bool IsNone() const { return *this == Id128{}; }
};

// Fills `bytes` from the operating system's random number generator. Ends the process if that fails. Thread-safe.
void FillRandom(std::array<uint8_t, 16>& bytes);
// Returns 32 lower-case hexadecimal digits.
std::string HexOf(const std::array<uint8_t, 16>& bytes);
// Parses exactly 32 hexadecimal digits. Returns nothing for any other text.
std::optional<std::array<uint8_t, 16>> BytesOfHex(std::string_view hex);

template <typename Id>
Id RandomId() {
  Id id;
  FillRandom(id.bytes);
  return id;
}
template <typename Tag>
std::string ToHex(const Id128<Tag>& id) {
  return HexOf(id.bytes);
}
template <typename Id>
std::optional<Id> IdFromHex(std::string_view hex) {
  auto bytes = BytesOfHex(hex);
  if (!bytes) return std::nullopt;
  return Id{*bytes};
}

using LaneId = Id128<struct LaneIdTag>;
using Incarnation = Id128<struct IncarnationTag>;
using DataSetId = Id128<struct DataSetIdTag>;
using WriterId = Id128<struct WriterIdTag>;
// The secret key under which viewers are hashed. There is one for each site and day. All instances share it, and it is
// deleted afterwards.
using ViewerSalt = Id128<struct ViewerSaltTag>;

// A hash function for containers. It takes some of the bytes as they are, since they are random already.
template <typename Tag>
struct Id128Hash {
  size_t operator()(const Id128<Tag>& id) const {
    size_t value;
    std::memcpy(&value, id.bytes.data(), sizeof(value));
    return value;
  }
};

// A byte offset in a lane's journal, counted over the lane's whole life.
struct Position {
  uint64_t value = 0;
  auto operator<=>(const Position&) const = default;
};

// The number of one of the limits::kShards partitions of the store.
struct Shard {
  uint8_t value = 0;
  auto operator<=>(const Shard&) const = default;
};

// A set of shards. A regular value type.
struct ShardSet {
  static_assert(limits::kShards == 64, "one bit each");
  uint64_t bits = 0;

  static ShardSet All() { return {~uint64_t{0}}; }
  static ShardSet Of(Shard shard) { return {uint64_t{1} << shard.value}; }
  bool Has(Shard shard) const { return (bits >> shard.value & 1) != 0; }
  bool empty() const { return bits == 0; }
  void Add(Shard shard) { bits |= Of(shard).bits; }
  void Remove(ShardSet others) { bits &= ~others.bits; }
  bool Meets(ShardSet others) const { return (bits & others.bits) != 0; }
  bool operator==(const ShardSet&) const = default;

  // Calls `visit(Shard)` for each shard of the set, in ascending order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (uint64_t left = bits; left != 0; left &= left - 1) {
      visit(Shard{static_cast<uint8_t>(std::countr_zero(left))});
    }
  }
};

// A site's number within this process. Numbers are dense, never reused, and never stored.
struct SiteIndex {
  uint32_t value = 0;
  auto operator<=>(const SiteIndex&) const = default;
};

}  // namespace viewcount
