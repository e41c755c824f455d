// Measures a lane's journal: how long it takes to make groups durable and to read them back. For comparison it measures
// a plain write and fdatasync of the same number of bytes to an allocated file. Bytes are those of the group. The files
// are in the working directory, so run the benchmark on the data directory's file system. Syncs take as long as the
// disk needs, so compare the lines of one run only.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "service/base/check.h"
#include "service/base/clock.h"
#include "service/journal/journal_reader.h"
#include "service/journal/journal_writer.h"

namespace viewcount {
namespace {

constexpr uint64_t kReadBytes = uint64_t{256} << 20;

// A folder in the working directory, which is removed when the benchmark ends. Used by one thread.
class Folder {
 public:
  Folder() { VIEWCOUNT_CHECK(disk_.MakeFolder(path_).ok()); }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  PosixDisk& disk() { return disk_; }

 private:
  const std::string path_ = std::filesystem::current_path() / "journal_benchmark.data";
  PosixDisk disk_;
};

std::unique_ptr<JournalWriter> OpenJournal(Folder& folder, const SystemClock& clock) {
  auto journal = JournalWriter::Open(
      folder.disk(), clock, {.folder = folder.path(), .lane = LaneId{{1}}, .retention = std::chrono::milliseconds(0)});
  VIEWCOUNT_CHECK(journal.ok());
  return *std::move(journal);
}

void Write(JournalWriter& journal, const std::string& payload) {
  VIEWCOUNT_CHECK(journal.Begin(1, payload.size()).ok());
  journal.Append(RecordType::kViews, payload);
  VIEWCOUNT_CHECK(journal.Commit().ok());
}

void JournalCommit(benchmark::State& state) {
  Folder folder;
  const SystemClock clock;
  const auto journal = OpenJournal(folder, clock);
  const std::string payload(static_cast<size_t>(state.range(0)), 'x');
  uint64_t unkept = 0;
  for (auto _ : state) {
    Write(*journal, payload);
    unkept += payload.size();
    if (unkept < limits::kJournalSegmentBytes / 2) continue;
    // In the service another thread does this.
    state.PauseTiming();
    VIEWCOUNT_CHECK(journal->Maintain(journal->end()).ok());
    unkept = 0;
    state.ResumeTiming();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void BareWriteAndSync(benchmark::State& state) {
  Folder folder;
  auto file = *folder.disk().Create(folder.path() + "/bare");
  VIEWCOUNT_CHECK(file->Allocate(limits::kJournalSegmentBytes).ok());
  const std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  uint64_t offset = 0;
  for (auto _ : state) {
    if (offset + bytes.size() > limits::kJournalSegmentBytes) offset = 0;
    VIEWCOUNT_CHECK(file->Write(offset, bytes).ok());
    VIEWCOUNT_CHECK(file->Sync().ok());
    offset += bytes.size();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void JournalRead(benchmark::State& state) {
  Folder folder;
  const SystemClock clock;
  const auto journal = OpenJournal(folder, clock);
  const size_t record_bytes = static_cast<size_t>(state.range(0));
  const std::string payload(record_bytes, 'x');
  const size_t group = (size_t{1} << 20) / record_bytes;
  for (uint64_t written = 0; written < kReadBytes; written += group * record_bytes) {
    VIEWCOUNT_CHECK(journal->Begin(group, group * record_bytes).ok());
    for (size_t i = 0; i < group; ++i) journal->Append(RecordType::kViews, payload);
    VIEWCOUNT_CHECK(journal->Commit().ok());
  }
  for (auto _ : state) {
    auto reader = JournalReader::Open(folder.disk(), folder.path(), LaneId{{1}}, journal->begin(), journal->end());
    VIEWCOUNT_CHECK(reader.ok());
    Record record;
    while (true) {
      const auto more = reader->Next(record);
      VIEWCOUNT_CHECK(more.ok());
      if (!*more) break;
      benchmark::DoNotOptimize(record.payload.data());
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kReadBytes));
}

BENCHMARK(BareWriteAndSync)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(JournalCommit)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(JournalRead)->Arg(256)->Arg(4 << 10)->Arg(64 << 10)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace viewcount
