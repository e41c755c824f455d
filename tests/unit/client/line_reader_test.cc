#include "client/cli/line_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "tests/unit/client/temporary_file.h"

namespace viewcount::cli {
namespace {

using testing::Compressed;
using testing::Gzip;
using testing::TemporaryFile;

struct Lines {
  std::vector<std::string> texts;
  std::vector<uint64_t> too_long;
  bool unfinished = false;
  std::string damage;
};

Lines ReadAll(const std::string& path) {
  Lines lines;
  auto source = ByteSource::Open(path);
  EXPECT_TRUE(source.ok()) << source.status();
  LineReader reader(std::move(*source));
  LogLine line;
  for (;;) {
    const auto more = reader.Next(line);
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) break;
    lines.texts.emplace_back(line.text);
    EXPECT_EQ(line.number, lines.texts.size());
    if (line.too_long) lines.too_long.push_back(line.number);
    EXPECT_FALSE(lines.unfinished) << "only the last line";
    lines.unfinished = line.unfinished;
  }
  EXPECT_FALSE(*reader.Next(line)) << "the end stays the end";
  lines.damage = reader.source().damage();
  return lines;
}
Lines ReadContent(const std::string& content) { return ReadAll(TemporaryFile(content).path()); }

// Returns incompressible lines, so that the compressed text spans several buffers.
std::string ManyLines(int count) {
  std::minstd_rand random(1);
  std::string text;
  for (int i = 0; i < count; ++i) {
    for (size_t size = random() % 200; size > 0; --size) text.push_back(static_cast<char>('!' + random() % 90));
    text.push_back('\n');
  }
  return text;
}

TEST(LineReader, LinesAreNumberedAndCutAtTheirEnds) {
  EXPECT_EQ(ReadContent("a\nb\n").texts, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(ReadContent("a\n\n\r\nb\n").texts, (std::vector<std::string>{"a", "", "\r", "b"}));
  EXPECT_EQ(ReadContent("").texts, std::vector<std::string>());
  EXPECT_EQ(ReadContent("\n").texts, std::vector<std::string>{""});
}

TEST(LineReader, ALineWithoutEndIsUnfinished) {
  const auto lines = ReadContent("a\nb");
  EXPECT_EQ(lines.texts, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(lines.unfinished);
  EXPECT_FALSE(ReadContent("a\n").unfinished);
}

TEST(LineReader, NulsAreBytesLikeOthers) {
  const std::string text("a\0b\n\0\0\n", 7);
  const auto lines = ReadContent(text);
  ASSERT_EQ(lines.texts.size(), 2u);
  EXPECT_EQ(lines.texts[0], std::string("a\0b", 3));
  EXPECT_EQ(lines.texts[1], std::string("\0\0", 2));
}

TEST(LineReader, HugeLinesAreCutAndTheNextLineIsWhole) {
  for (size_t size : {kLineBytesMax - 1, kLineBytesMax, kLineBytesMax + 1, 2 * kLineBytesMax - 1, 2 * kLineBytesMax,
                      2 * kLineBytesMax + 1, size_t{1} << 20, (size_t{10} << 20) + 1}) {
    const auto lines = ReadContent("a\n" + std::string(size, 'x') + "\nb\n");
    ASSERT_EQ(lines.texts.size(), 3u) << size;
    EXPECT_EQ(lines.texts[1].size(), std::min(size, kLineBytesMax)) << size;
    EXPECT_EQ(lines.too_long, size > kLineBytesMax ? std::vector<uint64_t>{2} : std::vector<uint64_t>{}) << size;
    EXPECT_EQ(lines.texts[2], "b") << size;
  }
}

TEST(LineReader, AHugeLineWithoutEndEnds) {
  const auto lines = ReadContent(std::string(1 << 20, 'x'));
  ASSERT_EQ(lines.texts.size(), 1u);
  EXPECT_TRUE(lines.unfinished);
  EXPECT_EQ(lines.too_long, std::vector<uint64_t>{1});
}

TEST(LineReader, GzipIsReadAsItIs) {
  const auto text = ManyLines(20'000);
  const auto plain = ReadContent(text);
  EXPECT_EQ(plain.texts.size(), 20'000u);
  const auto zipped = ReadContent(Gzip(text));
  EXPECT_EQ(zipped.texts, plain.texts);
  EXPECT_EQ(zipped.damage, "");
}

TEST(LineReader, GzipMembersAreOneText) {
  const auto lines = ReadContent(Gzip("a\nb") + Gzip("") + Gzip("c\nd\n") + std::string(700, '\0'));
  EXPECT_EQ(lines.texts, (std::vector<std::string>{"a", "bc", "d"}));
  EXPECT_EQ(lines.damage, "");
}

TEST(LineReader, BytesThatCompressAThousandfoldAreReadInBoundedMemory) {
  const auto lines = ReadContent(Gzip(std::string(50 << 20, '\0') + "\nb\n"));
  ASSERT_EQ(lines.texts.size(), 2u);
  EXPECT_EQ(lines.texts[1], "b");
}

TEST(LineReader, WhereverGzipIsCutTheLinesBeforeCount) {
  const auto text = ManyLines(20);
  const auto plain = ReadContent(text).texts;
  const auto whole = Gzip(text);
  size_t most = 0;
  for (size_t size = 2; size < whole.size(); ++size) {
    const auto lines = ReadContent(whole.substr(0, size));
    ASSERT_EQ(lines.damage, "the compressed file is cut off") << size;
    ASSERT_LE(lines.texts.size(), plain.size());
    ASSERT_TRUE(std::equal(lines.texts.begin(), lines.texts.end(), plain.begin())) << size;
    ASSERT_FALSE(lines.unfinished) << "the part of a line before the damage is left out";
    most = std::max(most, lines.texts.size());
  }
  EXPECT_EQ(most, plain.size()) << "only the checksum was cut off";
}

TEST(LineReader, BrokenGzipIsDamage) {
  auto bytes = Gzip(ManyLines(2'000));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x55);
  EXPECT_NE(ReadContent(bytes).damage, "");
  auto checksum = Gzip("a\n");
  checksum[checksum.size() - 8] = static_cast<char>(checksum[checksum.size() - 8] ^ 1);
  EXPECT_NE(ReadContent(checksum).damage, "");
  const auto trailing = ReadContent(Gzip("a\n") + "something else");
  EXPECT_EQ(trailing.texts, std::vector<std::string>{"a"});
  EXPECT_NE(trailing.damage, "");
}

TEST(LineReader, TheHeadIsTheFirst64KiB) {
  const auto text = ManyLines(1'000);
  ASSERT_GT(text.size(), kHeadBytes);
  for (const auto& content : {text, Gzip(text), Gzip(text.substr(0, 100)) + Gzip(text.substr(100))}) {
    const TemporaryFile file(content);
    LineReader reader(std::move(*ByteSource::Open(file.path())));
    EXPECT_EQ(*reader.Head(), text.substr(0, kHeadBytes));
    LogLine line;
    ASSERT_TRUE(*reader.Next(line));
    EXPECT_EQ(line.text, text.substr(0, text.find('\n'))) << "nothing of it is lost";
    ASSERT_TRUE(reader.Rewind().ok());
    EXPECT_EQ(*reader.Head(), text.substr(0, kHeadBytes));
  }
  const TemporaryFile file("short\n");
  LineReader reader(std::move(*ByteSource::Open(file.path())));
  EXPECT_EQ(*reader.Head(), "short\n");
}

TEST(LineReader, EveryCompressionIsReadAsItIs) {
  const auto text = ManyLines(3'000);
  const auto plain = ReadContent(text).texts;
  for (const std::string program : {"gzip", "bzip2", "xz", "zstd"}) {
    SCOPED_TRACE(program);
    const auto compressed = Compressed(program, text);
    const auto whole = ReadContent(compressed);
    EXPECT_EQ(whole.texts, plain);
    EXPECT_EQ(whole.damage, "");
    const auto twice = ReadContent(compressed + compressed);
    EXPECT_EQ(twice.texts.size(), 2 * plain.size());
    EXPECT_EQ(twice.damage, "");
    const auto cut = ReadContent(compressed.substr(0, compressed.size() / 2));
    EXPECT_EQ(cut.damage, "the compressed file is cut off");
    auto broken = compressed;
    broken[broken.size() / 2] = static_cast<char>(broken[broken.size() / 2] ^ 0x55);
    EXPECT_NE(ReadContent(broken).damage, "");
    EXPECT_NE(ReadContent(compressed + "something else").damage, "");
  }
}

TEST(LineReader, ByteOrderMarksAreNoPartOfTheText) {
  const std::vector<std::string> expected = {"tin-tức", "", "\xF0\x9F\x98\x80"};
  EXPECT_EQ(ReadContent("\xEF\xBB\xBFtin-tức\n\n\xF0\x9F\x98\x80\n").texts, expected);
  EXPECT_EQ(ReadContent("\xEF\xBB\xBF").texts, std::vector<std::string>{""});
  for (const bool big_endian : {false, true}) {
    SCOPED_TRACE(big_endian);
    std::string text;
    for (const char16_t unit : std::u16string_view(u"\xFEFFtin-tức\n\n\U0001F600\n")) {
      const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xFF);
      text += big_endian ? high : low;
      text += big_endian ? low : high;
    }
    EXPECT_EQ(ReadContent(text).texts, expected);
    EXPECT_EQ(ReadContent(Gzip(text)).texts, expected);
    // Characters lie across the borders of buffers.
    std::string many = text.substr(0, 2);
    for (int i = 0; i < 40'000; ++i) many += text.substr(2);
    const auto lines = ReadContent(many);
    ASSERT_EQ(lines.texts.size(), 120'000u);
    for (size_t i = 0; i < lines.texts.size(); ++i) ASSERT_EQ(lines.texts[i], expected[i % 3]) << i;
  }
}

TEST(LineReader, AnUnpairedSurrogateIsReplaced) {
  EXPECT_EQ(ReadContent(std::string("\xFF\xFE\x00\xD8"
                                    "a\x00\n\x00",
                                    8))
                .texts,
            std::vector<std::string>{"\xEF\xBF\xBD"
                                     "a"});
  EXPECT_EQ(ReadContent(std::string("\xFF\xFE\x00\xDC\n\x00", 6)).texts, std::vector<std::string>{"\xEF\xBF\xBD"});
}

TEST(LineReader, AGrowingFileGivesItsLinesWhenTheyEnd) {
  const TemporaryFile file("");
  LineReader reader(std::move(*ByteSource::Open(file.path())));
  LogLine line;
  EXPECT_FALSE(*reader.Next(line, UnfinishedLine::kLeave));
  const auto append = [&](const std::string& text) { std::ofstream(file.path(), std::ios::app) << text; };
  append("fir");
  EXPECT_FALSE(*reader.Next(line, UnfinishedLine::kLeave));
  append("st\nsec");
  ASSERT_TRUE(*reader.Next(line, UnfinishedLine::kLeave));
  EXPECT_EQ(line.text, "first");
  EXPECT_FALSE(*reader.Next(line, UnfinishedLine::kLeave));
  // The line end comes after the part of the line that is kept.
  append(std::string(kLineBytesMax + 10, 'x'));
  EXPECT_FALSE(*reader.Next(line, UnfinishedLine::kLeave));
  append("\nlast");
  ASSERT_TRUE(*reader.Next(line, UnfinishedLine::kLeave));
  EXPECT_TRUE(line.too_long);
  EXPECT_FALSE(*reader.Next(line, UnfinishedLine::kLeave));
  ASSERT_TRUE(*reader.Next(line, UnfinishedLine::kTake));
  EXPECT_EQ(line.text, "last");
  EXPECT_EQ(line.number, 3u);
  EXPECT_FALSE(line.too_long);
}

TEST(ByteSource, ATruncatedFileIsNoticedAlsoWhenItHasGrownAgain) {
  const TemporaryFile file("first\n");
  auto source = *ByteSource::Open(file.path());
  char buffer[100];
  ASSERT_EQ(*source->Read(buffer, sizeof(buffer)), 6u);
  EXPECT_FALSE(source->Truncated());
  std::ofstream(file.path(), std::ios::app) << "second\n";
  EXPECT_FALSE(source->Truncated());
  file.Write("fir");
  EXPECT_TRUE(source->Truncated());
  file.Write("another beginning\n");
  EXPECT_TRUE(source->Truncated());
}

TEST(LineReader, APipeThatGivesByteByByteIsRead) {
  TemporaryFile file("");
  unlink(file.path().c_str());
  ASSERT_EQ(mkfifo(file.path().c_str(), 0600), 0);
  const auto bytes = Gzip("a\nb\n");
  std::thread writer([&] {
    const int descriptor = open(file.path().c_str(), O_WRONLY);
    for (char byte : bytes) EXPECT_EQ(write(descriptor, &byte, 1), 1);
    close(descriptor);
  });
  EXPECT_EQ(ReadAll(file.path()).texts, (std::vector<std::string>{"a", "b"}));
  writer.join();
}

TEST(ByteSource, WhatCannotBeReadIsAnErrorWithItsPath) {
  const auto missing = ByteSource::Open("/nonexistent/access.log");
  EXPECT_TRUE(absl::IsNotFound(missing.status()));
  EXPECT_NE(missing.status().message().find("/nonexistent/access.log"), absl::string_view::npos);
  EXPECT_FALSE(ByteSource::Open("/").ok());
}

}  // namespace
}  // namespace viewcount::cli
