#include "service/lane/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "service/base/crc32c.h"
#include "service/base/files.h"

namespace viewcount {
namespace {

constexpr std::string_view kSuffix = ".writers";
constexpr size_t kPositionDigits = 20;

// The header of a checkpoint file. The writers, the visits and the cool-downs follow it.
struct Header {
  std::array<char, 8> magic{'V', 'C', 'W', 'R', 'T', 'R', '0', '2'};
  LaneId lane;
  uint64_t position = 0;
  uint32_t checksum = 0;
  uint32_t writers_bytes = 0;
  uint32_t visits_bytes = 0;
  uint32_t cool_downs_bytes = 0;
};
static_assert(sizeof(Header) == 48);

// The header of the first format, which had no cool-downs. Its table of visits is not read any more.
struct FirstHeader {
  std::array<char, 8> magic{'V', 'C', 'W', 'R', 'T', 'R', '0', '1'};
  LaneId lane;
  uint64_t position = 0;
  uint32_t checksum = 0;
  uint32_t visits_bytes = 0;
};
static_assert(sizeof(FirstHeader) == 40);

// A file's header and its size in bytes. HeaderOf returns nothing if the file begins with no known header.
struct ReadHeader {
  Header header;
  size_t bytes = 0;
};
std::optional<ReadHeader> HeaderOf(std::string_view text) {
  ReadHeader read{.bytes = sizeof(Header)};
  if (text.size() >= sizeof(Header)) {
    std::memcpy(&read.header, text.data(), sizeof(Header));
    if (read.header.magic == Header().magic) return read;
  }
  FirstHeader first;
  if (text.size() < sizeof(first)) return std::nullopt;
  std::memcpy(&first, text.data(), sizeof(first));
  const size_t content = text.size() - sizeof(first);
  if (first.magic != FirstHeader().magic || first.visits_bytes > content) return std::nullopt;
  read.header = {.lane = first.lane,
                 .position = first.position,
                 .checksum = first.checksum,
                 .writers_bytes = static_cast<uint32_t>(content - first.visits_bytes)};
  read.bytes = sizeof(first);
  return read;
}

std::optional<Position> PositionOf(std::string_view name) {
  if (name.size() != kPositionDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  uint64_t value = 0;
  const char* const end = name.data() + kPositionDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return Position{value};
}

std::string PathOf(const std::string& folder, Position position) {
  return fmt::format("{}/{:020}{}", folder, position.value, kSuffix);
}

// Returns the positions of all checkpoints in the folder, in rising order.
absl::StatusOr<std::vector<Position>> Find(Disk& disk, const std::string& folder) {
  const auto names = disk.List(folder);
  if (!names.ok()) return names.status();
  std::vector<Position> positions;
  for (const std::string& name : *names) {
    if (const auto position = PositionOf(name)) positions.push_back(*position);
  }
  std::sort(positions.begin(), positions.end());
  return positions;
}

}  // namespace

absl::Status WriteCheckpoint(Disk& disk, const std::string& folder, LaneId lane, const Checkpoint& checkpoint) {
  Header header;
  header.lane = lane;
  header.position = checkpoint.position.value;
  header.checksum = Crc32c(checkpoint.cool_downs, Crc32c(checkpoint.visits, Crc32c(checkpoint.writers)));
  header.writers_bytes = static_cast<uint32_t>(checkpoint.writers.size());
  header.visits_bytes = static_cast<uint32_t>(checkpoint.visits.size());
  header.cool_downs_bytes = static_cast<uint32_t>(checkpoint.cool_downs.size());
  std::string text(reinterpret_cast<const char*>(&header), sizeof(header));
  text.append(checkpoint.writers).append(checkpoint.visits).append(checkpoint.cool_downs);
  if (auto status = WriteFileDurably(disk, PathOf(folder, checkpoint.position), text); !status.ok()) return status;
  const auto positions = Find(disk, folder);
  if (!positions.ok()) return positions.status();
  for (const Position position : *positions) {
    if (position >= checkpoint.position) continue;
    if (auto status = disk.Remove(PathOf(folder, position)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> ReadCheckpoint(Disk& disk, const std::string& folder, LaneId lane) {
  const auto positions = Find(disk, folder);
  if (!positions.ok()) return positions.status();
  if (positions->empty()) return Checkpoint();
  const std::string path = PathOf(folder, positions->back());
  auto text = ReadFile(disk, path);
  if (!text.ok()) return text.status();
  const auto read = HeaderOf(*text);
  const Header header = read ? read->header : Header();
  const std::string_view content = std::string_view(*text).substr(read ? read->bytes : 0);
  const size_t told = size_t{header.writers_bytes} + header.visits_bytes + header.cool_downs_bytes;
  if (!read || header.position != positions->back().value || told > content.size() ||
      header.checksum != Crc32c(content)) {
    return absl::FailedPreconditionError(fmt::format(
        "{} is broken; remove it to start, but then a batch sent again from before it is counted again", path));
  }
  if (header.lane != lane) {
    return absl::FailedPreconditionError(
        fmt::format("{} is of lane {}, not of {}", path, ToHex(header.lane), ToHex(lane)));
  }
  const size_t visits = header.writers_bytes;
  const size_t cool_downs = visits + header.visits_bytes;
  return Checkpoint{.position = positions->back(),
                    .writers = std::string(content.substr(0, header.writers_bytes)),
                    .visits = std::string(content.substr(visits, header.visits_bytes)),
                    .cool_downs = std::string(content.substr(cool_downs, header.cool_downs_bytes))};
}

}  // namespace viewcount
