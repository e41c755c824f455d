#include "service/lane/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "service/base/crc32c.h"
#include "service/base/files.h"
#include "service/base/little_endian.h"

namespace viewcount {
namespace {

using little_endian::Load, little_endian::Store;

constexpr std::string_view kSuffix = ".writers";
constexpr size_t kPositionDigits = 20;

// The offsets of a header's fields; see checkpoint.h. The writers, the visits and the cool-downs follow the header.
constexpr std::string_view kMagic = "VCWRTR02";
constexpr size_t kLaneAt = 8, kPositionAt = 24, kChecksumAt = 32, kWritersBytesAt = 36, kVisitsBytesAt = 40,
                 kCoolDownsBytesAt = 44, kHeaderBytes = 48;
// The first format had no cool-downs and no size of the writers. Its table of visits is not read any more.
constexpr std::string_view kFirstMagic = "VCWRTR01";
constexpr size_t kFirstVisitsBytesAt = 36, kFirstHeaderBytes = 40;

struct Header {
  LaneId lane;
  uint64_t position = 0;
  uint32_t checksum = 0;
  uint32_t writers_bytes = 0;
  uint32_t visits_bytes = 0;
  uint32_t cool_downs_bytes = 0;
};

std::string Encode(const Header& header) {
  char bytes[kHeaderBytes];
  std::memcpy(bytes, kMagic.data(), kMagic.size());
  std::memcpy(bytes + kLaneAt, header.lane.bytes.data(), header.lane.bytes.size());
  Store(bytes + kPositionAt, header.position);
  Store(bytes + kChecksumAt, header.checksum);
  Store(bytes + kWritersBytesAt, header.writers_bytes);
  Store(bytes + kVisitsBytesAt, header.visits_bytes);
  Store(bytes + kCoolDownsBytesAt, header.cool_downs_bytes);
  return {bytes, sizeof(bytes)};
}

// A file's header, its size in bytes, and the size of the tables that are not read any more. HeaderOf returns nothing
// if the file begins with no known header.
struct ReadHeader {
  Header header;
  size_t bytes = 0;
  size_t unread_bytes = 0;
};
std::optional<ReadHeader> HeaderOf(std::string_view text) {
  if (text.size() < kFirstHeaderBytes) return std::nullopt;
  Header header;
  std::memcpy(header.lane.bytes.data(), &text[kLaneAt], header.lane.bytes.size());
  header.position = Load<uint64_t>(&text[kPositionAt]);
  header.checksum = Load<uint32_t>(&text[kChecksumAt]);
  if (text.starts_with(kMagic) && text.size() >= kHeaderBytes) {
    header.writers_bytes = Load<uint32_t>(&text[kWritersBytesAt]);
    header.visits_bytes = Load<uint32_t>(&text[kVisitsBytesAt]);
    header.cool_downs_bytes = Load<uint32_t>(&text[kCoolDownsBytesAt]);
    return ReadHeader{header, kHeaderBytes};
  }
  const size_t content = text.size() - kFirstHeaderBytes;
  const auto visits_bytes = Load<uint32_t>(&text[kFirstVisitsBytesAt]);
  if (!text.starts_with(kFirstMagic) || visits_bytes > content) return std::nullopt;
  header.writers_bytes = static_cast<uint32_t>(content - visits_bytes);
  return ReadHeader{header, kFirstHeaderBytes, visits_bytes};
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
  std::string text = Encode(header);
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
  const size_t told =
      size_t{header.writers_bytes} + header.visits_bytes + header.cool_downs_bytes + (read ? read->unread_bytes : 0);
  if (!read || header.position != positions->back().value || told != content.size() ||
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
