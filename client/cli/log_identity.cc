#include "client/cli/log_identity.h"

#include <algorithm>
#include <bit>

#include "client/cli/log_text.h"
#include "service/base/limits.h"
#include "service/base/little_endian.h"

namespace viewcount::cli {
namespace {

static_assert((kBatchLinesMax + 1) << kCheckBits <= limits::kSequenceSpanMax);

constexpr uint64_t kCheckMask = (uint64_t{1} << kCheckBits) - 1;
// Up to here milestones are dense, because logs of a few lines may be copies of each other for a good part.
constexpr uint64_t kDenseMilestonesMax = 1'024;

// Returns the 16 bytes of a hash of all parts. The site's hash is the seed, and each part has its length before it.
// Texts that are divided in another way therefore have other hashes.
std::string IdOf(std::string_view site, std::initializer_list<std::string_view> parts) {
  XXH3_state_t state{};
  XXH3_128bits_reset_withSeed(&state, Hash64(site));
  for (const auto part : parts) {
    char length[sizeof(uint64_t)];
    little_endian::Store(length, static_cast<uint64_t>(part.size()));
    XXH3_128bits_update(&state, length, sizeof(length));
    XXH3_128bits_update(&state, part.data(), part.size());
  }
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(&state));
  return {reinterpret_cast<const char*>(bytes.digest), sizeof(bytes.digest)};
}

template <typename Integer>
std::string BytesOfInteger(Integer value) {
  std::string bytes(sizeof(value), '\0');
  little_endian::Store(bytes.data(), value);
  return bytes;
}

}  // namespace

LinesHash::LinesHash() { XXH3_128bits_reset(&state_); }

void LinesHash::Add(std::string_view line) {
  XXH3_128bits_update(&state_, line.data(), line.size());
  XXH3_128bits_update(&state_, "\n", 1);
}

LinesDigest LinesHash::digest() const { return XXH3_128bits_digest(&state_); }

uint64_t SequenceAfter(uint64_t number, const LinesDigest& digest) {
  return number << kCheckBits | (digest.low64 & kCheckMask);
}

uint64_t SequenceAfterUnfinished(uint64_t number, const LinesDigest& before) {
  return number << kCheckBits | (before.high64 & kCheckMask);
}

std::optional<std::string_view> FirstLineOf(std::string_view head, bool whole) {
  if (head.substr(0, 3) == "\xEF\xBB\xBF") head.remove_prefix(3);
  while (!head.empty()) {
    const bool finished = head.find('\n') != head.npos;
    const auto line = TakeUntil(head, '\n');
    if (!finished && !whole) return std::nullopt;
    if (const auto text = Trim(line); !text.empty() && text[0] != '#') return line;
  }
  return std::nullopt;
}

std::string LogWriterId(std::string_view site, std::string_view first_line, uint32_t slot) {
  return IdOf(site, {"log", BytesOfInteger(slot), first_line});
}

bool IsMilestone(uint64_t number) {
  if (number == 0) return false;
  const uint64_t power = std::bit_floor(number);
  const uint64_t step = number < kDenseMilestonesMax ? std::max<uint64_t>(power / 4, 1) : power;
  return number % step == 0;
}

std::string MilestoneWriterId(std::string_view site, uint32_t slot, uint64_t number, const LinesDigest& digest) {
  return IdOf(site, {"milestone", BytesOfInteger(slot), BytesOfInteger(number), BytesOfInteger(digest.low64),
                     BytesOfInteger(digest.high64)});
}

std::string DayWriterId(std::string_view site, std::string_view counter, uint32_t day) {
  return IdOf(site, {"day", counter, BytesOfInteger(day)});
}

uint64_t SequenceOfFile(std::string_view file_writer_id) {
  // It is the span of one batch.
  return Hash64(file_writer_id) % limits::kSequenceSpanMax + 1;
}

std::string OldWriterId(std::string_view site, std::string_view head) {
  const auto hash = XXH3_128bits_withSeed(head.data(), head.size(), Hash64(site));
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  return {reinterpret_cast<const char*>(bytes.digest), sizeof(bytes.digest)};
}

}  // namespace viewcount::cli
