// The identifiers (docs/PROTOCOL.md, "Identifiers") as types of their own, so that none passes for another.
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

// A random 128-bit number. `Tag` tells the kinds apart. Regular; all zero means "none".
template <typename Tag>
struct Id128 {
  std::array<uint8_t, 16> bytes{};

  auto operator<=>(const Id128&) const = default;
  bool IsNone() const { return *this == Id128{}; }
};

// Fills `bytes` from the operating system's generator; ends the process if it has none.
void FillRandom(std::array<uint8_t, 16>& bytes);
// 32 lower-case hexadecimal digits.
std::string HexOf(const std::array<uint8_t, 16>& bytes);
// Exactly 32 hexadecimal digits, or nothing.
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
// The secret under which viewers are hashed: one for each site and day, shared by all instances, then deleted.
using ViewerSalt = Id128<struct ViewerSaltTag>;

// Hash for containers: the bytes are random already.
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

// One of the store's limits::kShards parts.
struct Shard {
  uint8_t value = 0;
  auto operator<=>(const Shard&) const = default;
};

// Some of the shards. Regular.
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

  // Calls `visit(Shard)` for each, in order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (uint64_t left = bits; left != 0; left &= left - 1) {
      visit(Shard{static_cast<uint8_t>(std::countr_zero(left))});
    }
  }
};

// A site's number within this process: dense, never reused, in no way stored.
struct SiteIndex {
  uint32_t value = 0;
  auto operator<=>(const SiteIndex&) const = default;
};

}  // namespace viewcount
