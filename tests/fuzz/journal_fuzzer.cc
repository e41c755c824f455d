// Fuzzes the journal's recovery and reader with any segment file. If recovery accepts a file, the reader must read it
// to the same end, and each record must equal the bytes of the file. If recovery refuses a file, the error must name
// it. A second recovery must find the state that the first one left.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "service/base/check.h"
#include "service/base/crc32c.h"
#include "service/base/little_endian.h"
#include "service/journal/format.h"
#include "service/journal/journal_reader.h"
#include "service/journal/journal_recovery.h"
#include "service/journal/segments.h"
#include "tests/support/memory_disk.h"

namespace viewcount {
namespace {

constexpr char kFolder[] = "/lane";
constexpr LaneId kLane{{1, 2, 3}};
// The position is not 0, so that a reference to a position before the segment is detected.
constexpr Position kStart{1'000};
constexpr uint64_t kSegmentBytes = 4'096;

void Put(MemoryDisk& disk, std::string_view bytes) {
  VIEWCOUNT_CHECK(disk.MakeFolder(kFolder).ok());
  const auto file = disk.Create(SegmentPath(kFolder, kStart));
  VIEWCOUNT_CHECK(file.ok() && (*file)->Write(0, bytes).ok() && (*file)->Sync().ok());
  VIEWCOUNT_CHECK(disk.SyncFolder(kFolder).ok());
}

// Reads the journal up to `to` and compares it with the file. Returns true if everything could be read.
bool ReadTo(MemoryDisk& disk, std::string_view bytes, Position to) {
  auto reader = JournalReader::Open(disk, kFolder, kLane, kStart, to);
  if (!reader.ok()) return false;
  Position before = kStart;
  Record record;
  while (true) {
    const auto more = reader->Next(record);
    if (!more.ok()) {
      VIEWCOUNT_CHECK(absl::IsDataLoss(more.status()));
      return false;
    }
    if (!*more) return true;
    VIEWCOUNT_CHECK(before <= record.begin && record.end <= to);
    VIEWCOUNT_CHECK(record.end.value == record.begin.value + kRecordHeaderBytes + record.payload.size());
    VIEWCOUNT_CHECK(bytes.substr(record.begin.value - kStart.value + kRecordHeaderBytes, record.payload.size()) ==
                    record.payload);
    before = record.end;
  }
}

void CheckSegment(std::string_view bytes) {
  MemoryDisk disk;
  Put(disk, bytes);
  ReadTo(disk, bytes, {kStart.value + bytes.size()});

  Position end;
  RecordMark last;
  {
    const auto first = RecoverJournal(disk, kFolder, kLane, kSegmentBytes);
    if (!first.ok()) {
      VIEWCOUNT_CHECK(absl::IsDataLoss(first.status()) || absl::IsFailedPrecondition(first.status()));
      VIEWCOUNT_CHECK(first.status().message().find(kFolder) != absl::string_view::npos);
      return;
    }
    end = first->end;
    last = first->last;
  }
  // A header ends with zeros. A file that lacks some of these zeros is accepted as if it had them.
  VIEWCOUNT_CHECK(end.value <= kStart.value + std::max(bytes.size(), kSegmentHeaderBytes));
  VIEWCOUNT_CHECK(ReadTo(disk, bytes, end));
  const auto second = RecoverJournal(disk, kFolder, kLane, kSegmentBytes);
  VIEWCOUNT_CHECK(second.ok() && second->end == end && second->last == last);
}

#ifdef VIEWCOUNT_FUZZ
// Corrects the checksums at the places of records, because random mutations would not find correct ones.
void MendChecksums(char* bytes, size_t size) {
  if (size < kSegmentHeaderBytes) return;
  const SegmentHeaderBytes header = EncodeSegmentHeader({.lane = kLane, .start = kStart});
  std::memcpy(bytes, header.data(), header.size());
  const RecordFormat format(kLane);
  for (size_t at = kSegmentHeaderBytes; at + kRecordHeaderBytes <= size;) {
    if (!RecordFormat::IsPlausible(bytes + at)) return;
    const auto payload_bytes = little_endian::Load<uint32_t>(bytes + at + 8);
    const auto distance = little_endian::Load<uint32_t>(bytes + at + 12);
    const size_t room = size - at - kRecordHeaderBytes;
    if (payload_bytes > room) return;
    const Position begin{kStart.value + at};
    format.Encode({.type = static_cast<RecordType>(bytes[at + 16]),
                   .begin = begin,
                   .group_begin = {begin.value - distance},
                   .payload_bytes = payload_bytes,
                   .payload_checksum = Crc32c({bytes + at + kRecordHeaderBytes, payload_bytes})},
                  bytes + at);
    at += kRecordHeaderBytes + payload_bytes;
  }
}
#endif

}  // namespace
}  // namespace viewcount

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool quiet = (spdlog::set_level(spdlog::level::off), true);
  static_cast<void>(quiet);
  viewcount::CheckSegment({reinterpret_cast<const char*>(data), size});
  return 0;
}

#ifdef VIEWCOUNT_FUZZ
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

// Only half of the inputs get correct checksums. The others keep their broken ones.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (seed % 2 == 0) viewcount::MendChecksums(reinterpret_cast<char*>(data), size);
  return size;
}
#endif
