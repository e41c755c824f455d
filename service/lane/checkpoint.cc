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

struct Header {
  std::array<char, 8> magic{'V', 'C', 'W', 'R', 'T', 'R', '0', '1'};
  LaneId lane;
  uint64_t position = 0;
  uint32_t checksum = 0;
  // At the end. 0 in files from before there were any.
  uint32_t visits_bytes = 0;
};
static_assert(sizeof(Header) == 40);

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

// In rising order.
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
  header.checksum = Crc32c(checkpoint.visits, Crc32c(checkpoint.writers));
  header.visits_bytes = static_cast<uint32_t>(checkpoint.visits.size());
  std::string text(reinterpret_cast<const char*>(&header), sizeof(header));
  text.append(checkpoint.writers).append(checkpoint.visits);
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
  Header header;
  const Header expected;
  const bool whole = text->size() >= sizeof(header);
  if (whole) std::memcpy(&header, text->data(), sizeof(header));
  if (!whole || header.magic != expected.magic || header.position != positions->back().value ||
      header.visits_bytes > text->size() - sizeof(header) ||
      header.checksum != Crc32c(std::string_view(*text).substr(sizeof(header)))) {
    return absl::FailedPreconditionError(fmt::format(
        "{} is broken; remove it to start, but then a batch sent again from before it is counted again", path));
  }
  if (header.lane != lane) {
    return absl::FailedPreconditionError(
        fmt::format("{} is of lane {}, not of {}", path, ToHex(header.lane), ToHex(lane)));
  }
  const size_t visits = text->size() - header.visits_bytes;
  return Checkpoint{.position = positions->back(),
                    .writers = text->substr(sizeof(header), visits - sizeof(header)),
                    .visits = text->substr(visits)};
}

}  // namespace viewcount
