#include "client/cli/import_writers.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

namespace viewcount::cli {
namespace {

// No site has so many servers whose logs begin in the same second with the same request.
constexpr uint32_t kSlotsMax = 1'000;
v1::RecordViewsRequest EmptyBatch(std::string_view site, const std::string& writer_id, uint64_t sequence) {
  v1::RecordViewsRequest request;
  request.set_site(std::string(site));
  request.set_writer_id(writer_id);
  request.set_sequence(sequence);
  request.set_import(true);
  return request;
}

}  // namespace

ImportWriters::ImportWriters(std::string site, SendRequest send) : site_(std::move(site)), send_(std::move(send)) {}

absl::StatusOr<std::optional<uint64_t>> ImportWriters::LastSequence(const std::string& writer_id) const {
  const auto result = send_(EmptyBatch(site_, writer_id, kQuestionSequence).SerializeAsString());
  if (result.status.ok()) return absl::InternalError("the service took a batch that leaves out sequences");
  if (result.details.reason == "UNKNOWN_WRITER") return std::nullopt;
  if (result.details.reason != "SEQUENCE_GAP") return result.status;
  const auto expected = result.details.metadata.find("expected_sequence");
  uint64_t next = 0;
  if (expected == result.details.metadata.end() || !absl::SimpleAtoi(expected->second, &next) || next == 0) {
    return absl::InternalError("the service does not say which sequence it expects");
  }
  return next - 1;
}

absl::StatusOr<std::vector<LogClaim>> ImportWriters::ClaimsOf(std::string_view first_line) const {
  std::vector<LogClaim> claims;
  for (uint32_t slot = 0; slot < kSlotsMax; ++slot) {
    const auto last = LastSequence(LogWriterId(site_, first_line, slot));
    if (!last.ok()) return last.status();
    if (!*last) return claims;
    claims.push_back({slot, **last});
  }
  return absl::ResourceExhaustedError(absl::StrCat("the site has ", kSlotsMax, " logs with the same first line"));
}

absl::StatusOr<bool> ImportWriters::HasMilestone(uint32_t slot, uint64_t number, const LinesDigest& digest) const {
  const auto last = LastSequence(MilestoneWriterId(site_, slot, number, digest));
  if (!last.ok()) return last.status();
  return last->has_value();
}

absl::Status ImportWriters::RecordMilestone(uint32_t slot, uint64_t number, const LinesDigest& digest) const {
  return send_(EmptyBatch(site_, MilestoneWriterId(site_, slot, number, digest), 1).SerializeAsString()).status;
}

client::SendResult ImportWriters::SkipTo(const std::string& writer_id, uint64_t from, uint64_t to) const {
  auto request = EmptyBatch(site_, writer_id, from + 1);
  request.set_sequence_span(static_cast<uint32_t>(to - from));
  return send_(request.SerializeAsString());
}

absl::StatusOr<TimeOwner> ImportWriters::OwnerOf(std::string_view counter, uint32_t time,
                                                 std::string_view file_writer_id) const {
  const auto last = LastSequence(DayWriterId(site_, counter, time));
  if (!last.ok()) return last.status();
  if (!*last) return TimeOwner::kNone;
  return **last == SequenceOfFile(file_writer_id) ? TimeOwner::kThisFile : TimeOwner::kAnotherFile;
}

absl::StatusOr<bool> ImportWriters::ClaimTime(std::string_view counter, uint32_t time,
                                              std::string_view file_writer_id) const {
  const uint64_t file = SequenceOfFile(file_writer_id);
  const auto result = SkipTo(DayWriterId(site_, counter, time), 0, file);
  if (!result.status.ok()) return result.status;
  // Another import may have claimed it meanwhile.
  return result.response.last_sequence() == file;
}

absl::StatusOr<uint64_t> ImportWriters::OldLines(std::string_view head) const {
  head = head.substr(0, kOldHeadBytes);
  uint64_t lines = 0;
  for (size_t end = head.find('\n');; end = head.find('\n', end + 1)) {
    const bool all = end == head.npos;
    // All of a shorter log was tried with its last line, if that has an end.
    if (!all || (!head.empty() && head.back() != '\n') || head.size() == kOldHeadBytes) {
      const auto last = LastSequence(OldWriterId(site_, all ? head : head.substr(0, end + 1)));
      if (!last.ok()) return last.status();
      lines = std::max(lines, last->value_or(0));
    }
    if (all) return lines;
  }
}

}  // namespace viewcount::cli
