#include "service/base/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "service/base/unique_fd.h"

namespace viewcount {
namespace {

using testing::MatchesRegex;
using namespace std::string_literals;

constexpr char kTime[] = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z";
// Contains bytes that might end a line, close a string or control a terminal.
const std::string kHostile =
    "a\"b\\c\n2026-01-02T03:04:05.678Z error forged\r\t\x1b[2J\0\x7f\xc2\x85\xe2\x80\xa8\xff|\xc3\xa9"s;

template <typename Write>
std::string LoggedBy(LogFormat format, const std::string& level, Write write) {
  testing::internal::CaptureStderr();
  InitLogging(format, level);
  write();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, TextLineHasTimeLevelAndMessage) {
  const auto line = LoggedBy(LogFormat::kText, "info", [] { spdlog::info("started port={}", 7400); });
  EXPECT_THAT(line, MatchesRegex(std::string(kTime) + " info  started port=7400\n"));
  const auto error = LoggedBy(LogFormat::kText, "info", [] { spdlog::error("x"); });
  EXPECT_THAT(error, MatchesRegex(std::string(kTime) + " error x\n"));
}

TEST(Log, LevelsBelowTheChosenOneAreLeftOut) {
  const auto write = [] {
    spdlog::debug("1");
    spdlog::info("2");
    spdlog::warn("3");
    spdlog::error("4");
  };
  EXPECT_THAT(LoggedBy(LogFormat::kText, "warn", write), MatchesRegex("[^\n]* warn  3\n[^\n]* error 4\n"));
  EXPECT_THAT(LoggedBy(LogFormat::kText, "debug", write), MatchesRegex("[^\n]* debug 1\n.*2\n.*3\n.*4\n"));
}

TEST(Log, HostileTextStaysOnOneTextLine) {
  const auto line = LoggedBy(LogFormat::kText, "info", [] { spdlog::info("{}", kHostile); });
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(EscapeForText(kHostile),
            "a\"b\\c\\n2026-01-02T03:04:05.678Z error forged\\r\\t\\x1b[2J\\x00\\x7f\\x85\\u2028\\xff|\xc3\xa9");
}

TEST(Log, HostileTextStaysOneJsonObject) {
  const auto line = LoggedBy(LogFormat::kJson, "info", [] { spdlog::warn("{}", kHostile); });
  ASSERT_EQ(line.find('\n'), line.size() - 1);
  google::protobuf::Struct object;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(line, &object).ok()) << line;
  ASSERT_EQ(object.fields_size(), 3);
  EXPECT_EQ(object.fields().at("level").string_value(), "warn");
  EXPECT_THAT(object.fields().at("time").string_value(), MatchesRegex(kTime));
  std::string expected = kHostile;
  expected.replace(expected.find('\xff'), 1, "\xEF\xBF\xBD");
  EXPECT_EQ(object.fields().at("message").string_value(), expected);
}

// Replaces standard error by a pipe, which is read only when the test calls Read().
class StuckReader {
 public:
  StuckReader() : before_(dup(STDERR_FILENO)) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reading_ = UniqueFd(ends[0]);
    const UniqueFd writing(ends[1]);
    EXPECT_EQ(dup2(writing.get(), STDERR_FILENO), STDERR_FILENO);
  }
  ~StuckReader() { dup2(before_.get(), STDERR_FILENO); }

  // Reads all available bytes without waiting.
  std::string Read() {
    EXPECT_EQ(fcntl(reading_.get(), F_SETFL, O_NONBLOCK), 0);
    std::string text;
    char bytes[65'536];
    for (ssize_t size; (size = read(reading_.get(), bytes, sizeof(bytes))) > 0;)
      text.append(bytes, static_cast<size_t>(size));
    return text;
  }

 private:
  const UniqueFd before_;
  UniqueFd reading_;
};

TEST(Log, AReaderThatDoesNotReadCostsLinesAndNotTime) {
  constexpr int kLines = 5'000;
  const uint64_t dropped_before = DroppedLogLines();
  std::string first, second;
  {
    StuckReader reader;
    InitLogging(LogFormat::kText, "info");
    for (int i = 0; i < kLines; ++i) spdlog::info("line {} {}", i, std::string(100, 'x'));
    first = reader.Read();
    spdlog::info("after");
    second = reader.Read();
  }
  const uint64_t dropped = DroppedLogLines() - dropped_before;
  EXPECT_GT(dropped, 1'000u);
  // All lines that arrived are complete.
  EXPECT_EQ(static_cast<uint64_t>(std::count(first.begin(), first.end(), '\n')), kLines - dropped);
  EXPECT_TRUE(first.ends_with("x\n"));
  EXPECT_THAT(second, MatchesRegex("[^\n]* warn  standard error did not take " + std::to_string(dropped) +
                                   " log lines, which are lost\n[^\n]* info  after\n"));
}

TEST(Log, ALongLineThatIsCutOffDoesNotRunIntoTheNext) {
  StuckReader reader;
  InitLogging(LogFormat::kText, "info");
  // The line is longer than the pipe's capacity.
  spdlog::info("{}", std::string(200'000, 'y'));
  const std::string first = reader.Read();
  EXPECT_TRUE(first.ends_with("y"));
  spdlog::info("next");
  EXPECT_THAT(reader.Read(), MatchesRegex("\n[^\n]*1 log lines, which are lost\n[^\n]* info  next\n"));
}

TEST(Log, LevelMayChange) {
  const auto write = [] {
    spdlog::debug("1");
    SetLogLevel("debug");
    spdlog::debug("2");
    SetLogLevel("error");
    spdlog::warn("3");
  };
  EXPECT_THAT(LoggedBy(LogFormat::kText, "info", write), MatchesRegex("[^\n]* debug 2\n"));
}

TEST(Log, OnlyTheFiveLevelsAreLevels) {
  for (const char* level : {"trace", "debug", "info", "warn", "error"}) EXPECT_TRUE(IsLogLevel(level)) << level;
  for (const char* other : {"", "fatal", "off", "warning", "INFO"}) EXPECT_FALSE(IsLogLevel(other)) << other;
}

}  // namespace
}  // namespace viewcount
