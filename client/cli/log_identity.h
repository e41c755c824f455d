// Identifies logs and their lines, so that the service knows which lines of which log it has counted.
//
// The service remembers the last sequence of every writer. A log is a writer, and its sequences prove how far the log
// was imported and what its lines were: the sequence after line n is n * 2^20 + check(n), where check(n) is a hash of
// all lines up to n. docs/decisions/identity-of-a-log.md explains the design. All algorithms here must never change,
// because services remember their results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/base/hash.h"

namespace viewcount::cli {

// A hash of all lines of a log up to one of them.
using LinesDigest = XXH128_hash_t;

// The number of bits of a sequence that check the lines.
inline constexpr int kCheckBits = 20;
// The largest number of lines in one batch. The span of its sequences must fit limits::kSequenceSpanMax.
inline constexpr uint64_t kBatchLinesMax = 1'022;

// Hashes the lines of one log, one after the other. Copyable. Not thread-safe.
class LinesHash {
 public:
  LinesHash();
  // Adds a line without its line end.
  void Add(std::string_view line);
  LinesDigest digest() const;

 private:
  XXH3_state_t state_{};
};

// Returns the sequence after line `number`, whose lines have this digest.
uint64_t SequenceAfter(uint64_t number, const LinesDigest& digest);
// Returns the sequence after line `number`, which has no line end yet. `before` is the digest of the lines before it,
// because the line may still grow.
uint64_t SequenceAfterUnfinished(uint64_t number, const LinesDigest& before);
// Returns the number of the line after which `sequence` comes.
inline uint64_t LineOfSequence(uint64_t sequence) { return sequence >> kCheckBits; }

// Returns the line that identifies a log: the first that is neither blank nor a comment. `head` is the beginning of the
// log. Returns nothing if there is none, or if it has no line end and `whole` is false.
std::optional<std::string_view> FirstLineOf(std::string_view head, bool whole);

// Returns the 16 bytes of the writer of a log. Logs with the same first line have different slots, counted from 0.
std::string LogWriterId(std::string_view site, std::string_view first_line, uint32_t slot);

// Returns true if a milestone is recorded for this number of lines. A milestone proves that a log in a slot has certain
// lines up to there, also after it has grown. There are four for each doubling up to 1,024 lines, then one.
bool IsMilestone(uint64_t number);
// Returns the 16 bytes of the writer that stands for a milestone of the log in a slot.
std::string MilestoneWriterId(std::string_view site, uint32_t slot, uint64_t number, const LinesDigest& digest);

// Returns the 16 bytes of the writer that stands for a day of another counter, such as 20261130. Its last sequence
// stands for the file from which the day was imported.
std::string DayWriterId(std::string_view site, std::string_view counter, uint32_t day);
// Returns the sequence that stands for the file of a writer. Two files have the same one once in a billion pairs.
uint64_t SequenceOfFile(std::string_view file_writer_id);

// The size of the head that identified a log in earlier versions. Their sequences were the numbers of
// lines.
inline constexpr size_t kOldHeadBytes = 4 << 10;
// Returns the 16 bytes of the writer by which those versions imported a log with this head.
std::string OldWriterId(std::string_view site, std::string_view head);

}  // namespace viewcount::cli
