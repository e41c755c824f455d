#include "service/base/log.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

namespace viewcount {
namespace {

using testing::MatchesRegex;
using namespace std::string_literals;

constexpr char kTime[] = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z";
// All that might end a line, close a string or drive a terminal.
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

TEST(Log, OnlyTheFiveLevelsAreLevels) {
  for (const char* level : {"trace", "debug", "info", "warn", "error"}) EXPECT_TRUE(IsLogLevel(level)) << level;
  for (const char* other : {"", "fatal", "off", "warning", "INFO"}) EXPECT_FALSE(IsLogLevel(other)) << other;
}

}  // namespace
}  // namespace viewcount
