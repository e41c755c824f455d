// Provides a journal with small segments, and helpers that write, read and damage it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "service/base/disk.h"
#include "service/base/status.h"
#include "service/journal/format.h"
#include "service/journal/journal_reader.h"
#include "service/journal/journal_writer.h"
#include "service/journal/segments.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {

class JournalTest : public ::testing::Test {
 protected:
  using Payloads = std::vector<std::string>;

  JournalTest() {
    options_.folder = folder_.path();
    options_.lane = LaneId{{1, 2, 3}};
    options_.segment_bytes = 4'096;
    options_.budget_bytes = 1 << 20;
    options_.retention = std::chrono::minutes(10);
  }

  absl::StatusOr<std::unique_ptr<JournalWriter>> TryOpen() { return JournalWriter::Open(disk(), clock_, options_); }
  void Open() {
    writer_.reset();
    auto writer = TryOpen();
    ASSERT_TRUE(writer.ok()) << writer.status();
    writer_ = *std::move(writer);
  }
  absl::Status TryWrite(const Payloads& group) {
    size_t bytes = 0;
    for (const std::string& payload : group) bytes += payload.size();
    if (auto status = writer_->Begin(group.size(), bytes); !status.ok()) return status;
    for (const std::string& payload : group) writer_->Append(RecordType::kViews, payload);
    return writer_->Commit();
  }
  void Write(const Payloads& group) {
    const auto status = TryWrite(group);
    ASSERT_TRUE(status.ok()) << status;
  }
  // Returns the payloads of the records in (from, to], and of the earlier records of the same segment.
  absl::StatusOr<Payloads> TryRead(Position from, Position to) {
    auto reader = JournalReader::Open(disk(), options_.folder, options_.lane, from, to);
    if (!reader.ok()) return reader.status();
    Payloads payloads;
    Record record;
    while (true) {
      const auto more = reader->Next(record);
      if (!more.ok()) return more.status();
      if (!*more) return payloads;
      EXPECT_EQ(record.end.value - record.begin.value, kRecordHeaderBytes + record.payload.size());
      payloads.emplace_back(record.payload);
    }
  }
  Payloads ReadAll() {
    auto payloads = TryRead(writer_->begin(), writer_->end());
    EXPECT_TRUE(payloads.ok()) << payloads.status();
    return payloads.ok() ? *std::move(payloads) : Payloads();
  }

  std::vector<Position> Segments() { return *ListSegments(disk(), options_.folder); }
  std::string PathOf(Position start) const { return SegmentPath(options_.folder, start); }
  std::string Contents(const std::string& path) {
    auto file = *disk().OpenForReading(path);
    std::string bytes(*file->Size(), '\0');
    EXPECT_EQ(*file->Read(0, bytes), bytes.size());
    return bytes;
  }
  void SetContents(const std::string& path, const std::string& bytes) {
    auto file = *disk().Create(path);
    EXPECT_TRUE(file->Write(0, bytes).ok());
  }
  void Flip(const std::string& path, uint64_t offset, int bit = 0) {
    auto file = *disk().Open(path);
    char byte = 0;
    EXPECT_EQ(*file->Read(offset, {&byte, 1}), 1u);
    byte = static_cast<char>(byte ^ (1 << bit));
    EXPECT_TRUE(file->Write(offset, {&byte, 1}).ok());
  }
  virtual Disk& disk() { return posix_; }

  TemporaryDirectory folder_;
  PosixDisk posix_;
  ManualClock clock_;
  JournalWriter::Options options_;
  std::unique_ptr<JournalWriter> writer_;
};

}  // namespace viewcount
