#include "client/cli/counts_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>
#include <vector>

#include "client/cli/counts_day.h"
#include "client/cli/counts_json.h"
#include "client/cli/counts_row.h"
#include "client/cli/csv.h"
#include "service/base/status.h"
#include "tests/support/seed.h"

namespace viewcount::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kHead[] =
    R"({"viewcountSnapshot":1,"site":"a","timeZone":"UTC","earlierTimeZones":{},"time":"2026-12-01T00:00:00Z"})";
constexpr char kEnd[] = R"({"end":{"rows":1,"views":5,"aliases":0,"announced":0}})";
constexpr char kRow[] =
    R"({"articleId":"x","views":5,"botViews":1,"days":{"2026-11-22":4},"hours":{"2026-11-22T13":3}})";

std::unique_ptr<CountsFile> FileOf(std::string_view text, CountsOptions options) {
  char path[] = "/tmp/viewcount-counts-XXXXXX";
  const int file = mkstemp(path);
  EXPECT_GE(file, 0);
  unlink(path);
  EXPECT_EQ(write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(lseek(file, 0, SEEK_SET), 0);
  auto source = ByteSource::Adopt("test", file);
  EXPECT_TRUE(source.ok());
  return std::make_unique<CountsFile>(*std::move(source), options);
}

// The content of a file: its rows in short, its bad lines, and the error that ended it.
struct Read {
  std::vector<std::string> rows;
  std::vector<std::string> bad_lines;
  std::string error;
  std::string hash;
};

std::string ShortOf(const v1::CountRow& row) {
  std::string text = row.article_id();
  for (const auto& count : row.counts()) {
    text +=
        " " + std::to_string(count.kind()) + ":" + std::to_string(count.number()) + "=" + std::to_string(count.views());
  }
  return text;
}

Read ReadAll(CountsFile& file) {
  Read read;
  while (true) {
    const auto item = file.Next();
    if (absl::IsInvalidArgument(item.status())) {
      read.bad_lines.emplace_back(ToStd(item.status().message()));
      continue;
    }
    read.error = std::string(ToStd(item.status().message()));
    if (!item.ok() || !item->has_value()) break;
    if (const auto* row = std::get_if<v1::CountRow>(&**item)) read.rows.push_back(ShortOf(*row));
  }
  read.hash = file.rows_hash();
  return read;
}

Read ReadAll(std::string_view text, CountsOptions options = {.all_time = true}) {
  return ReadAll(*FileOf(text, options));
}

TEST(CountsFile, ReadsCsvOfAllTime) {
  const Read read = ReadAll("article_id,views,bot_views,viewers\na,1,2,3\n\"b,\"\"c\"\"\",4,0,0\n");
  EXPECT_EQ(read.error, "");
  EXPECT_THAT(read.rows, ::testing::ElementsAre("a 1:0=1 2:0=2", "b,\"c\" 1:0=4"));
}

TEST(CountsFile, LineEndsMarksAndSeparatorsDoNotMatter) {
  const std::string plain = "article_id,views\na,1\nb,2\n";
  const std::string other =
      "\xEF\xBB\xBF"
      "article_id;views\r\n\r\na;1\r\nb;2";
  EXPECT_EQ(ReadAll(plain).rows, ReadAll(other).rows);
  EXPECT_EQ(ReadAll(plain).hash, ReadAll(other).hash);
  EXPECT_NE(ReadAll(plain).hash, ReadAll("article_id,views\nb,2\na,1\n").hash);
  EXPECT_EQ(ReadAll("article_id\tviews\na\t1\n").rows, ReadAll("article_id,views\na,1\n").rows);
}

TEST(CountsFile, ViewsOfADayAreViewsOfAllTimeAsWell) {
  EXPECT_THAT(ReadAll("day,article_id,views\n2026-11-22,a,7\n", {}).rows,
              ::testing::ElementsAre("a 1:0=7 3:20261122=7"));
  EXPECT_THAT(ReadAll("article_id,views\na,7\n", {.day = 20261122}).rows,
              ::testing::ElementsAre("a 1:0=7 3:20261122=7"));
  EXPECT_THAT(ReadAll(R"({"articleId":"a","views":7,"day":"2026-11-22"})", {}).rows,
              ::testing::ElementsAre("a 1:0=7 3:20261122=7"));
}

TEST(CountsFile, RowsWithoutADayNeedAnOption) {
  EXPECT_THAT(ReadAll("article_id,views\na,7\n", {}).bad_lines.front(), HasSubstr("--all-time"));
  EXPECT_THAT(ReadAll(R"({"articleId":"a","views":7})", {}).bad_lines.front(), HasSubstr("--all-time"));
}

TEST(CountsFile, ArticlesMayOccurTwice) { EXPECT_EQ(ReadAll("article_id,views\na,1\na,1\n").rows.size(), 2U); }

TEST(CountsFile, NumbersAreWholeAndWithinTheLimit) {
  EXPECT_EQ(ReadAll("article_id,views\na,70368744177664\n").rows.size(), 1U);
  for (const char* number :
       {"70368744177665", "99999999999999999999999", "-1", "+1", "1.0", "1e3", "1,000", " 1", "", "0x10", "NaN"}) {
    const Read read = ReadAll("article_id,views\na," + std::string(number) + "\n");
    ASSERT_EQ(read.bad_lines.size(), 1U) << number;
    EXPECT_THAT(read.bad_lines[0], HasSubstr("line 2, column ")) << number;
  }
  for (const char* number : {"70368744177665", "18446744073709551615", "1e30", "-1", "1.5", "\"1\"", "null"}) {
    const Read read = ReadAll(std::string(R"({"articleId":"a","views":)") + number + "}");
    ASSERT_EQ(read.bad_lines.size(), 1U) << number;
    EXPECT_THAT(read.bad_lines[0], HasSubstr("line 1, views")) << number;
  }
}

TEST(CountsFile, SumsAreCheckedBeforeTheyOverflow) {
  // 2^46 each, so 64 rows have 2^52.
  std::string text = "article_id,views\n";
  for (int i = 0; i < 64; ++i) text += "a,70368744177664\n";
  EXPECT_EQ(ReadAll(text).error, "");
  for (const char* row : {"a,1\n", "a,70368744177664\n"}) {
    EXPECT_THAT(ReadAll(text + row).error, HasSubstr("up to line 66, the rows have more than 2^52 views together"));
  }
}

TEST(CountsFile, RowsThatTheServiceWouldRefuseAreBadLines) {
  const CountsOptions options{.last_day = 20261123, .last_hour = 500'000};
  EXPECT_TRUE(ReadAll("day,article_id,views\n2026-11-23,a,1\n", options).bad_lines.empty());
  EXPECT_THAT(ReadAll("day,article_id,views\n2026-11-24,a,1\n", options).bad_lines.front(),
              HasSubstr("line 2, day: 2026-11-24 is a day of the future"));
  const std::string hour = R"({"articleId":"a","hours":{"2027-01-15T09":1}})";
  EXPECT_THAT(ReadAll(hour, options).bad_lines.front(), HasSubstr("2027-01-15T09 is an hour of the future"));
  const auto hours = [](int count, const std::string& begin) {
    std::string text = begin;
    for (int i = 0; i < count; ++i) text += (i == 0 ? "\"" : ",\"") + CountsHourText(static_cast<uint32_t>(i)) + "\":1";
    return text + "}}";
  };
  const std::string site = std::string(kHead) + "\n" + R"({"site":{"hours":{)";
  EXPECT_TRUE(ReadAll(hours(2'000, site) + "}", {}).bad_lines.empty());
  EXPECT_THAT(ReadAll(hours(2'001, site) + "}", {}).bad_lines.front(), HasSubstr("2001 counts"));
}

TEST(CountsFile, BadLinesAreNamedAndTheOthersAreRead) {
  const Read read = ReadAll("article_id,views\na,1\n\"b,2\nc,3,4\n" + std::string(600, 'x') + ",1\nd,5\n");
  EXPECT_EQ(read.rows.size(), 2U);
  ASSERT_EQ(read.bad_lines.size(), 3U);
  EXPECT_THAT(read.bad_lines[0], HasSubstr("line 3, column 1: the quote at its beginning is never closed"));
  EXPECT_THAT(read.bad_lines[1], HasSubstr("line 4, column 3: there are 3 columns instead of 2"));
  EXPECT_THAT(read.bad_lines[2], HasSubstr("line 5, column 1 (article_id)"));
}

TEST(CountsFile, HostileBytesAreBadLines) {
  std::string binary = "article_id,views\n";
  for (int i = 0; i < 256; ++i) binary += static_cast<char>(i);
  EXPECT_FALSE(ReadAll(binary).bad_lines.empty());
  EXPECT_THAT(ReadAll("article_id,views\na\xFF,1\n").bad_lines.front(), HasSubstr("line 2, column 1: it is not UTF-8"));
  EXPECT_THAT(ReadAll("article_id,views\n" + std::string(1, '\0') + "a,1\n").bad_lines.front(),
              HasSubstr("line 2, column 1: it is not text"));
  const std::string gigantic = "article_id,views\n" + std::string(3 << 20, 'a') + ",1\nb,2\n";
  const Read read = ReadAll(gigantic);
  EXPECT_THAT(read.bad_lines, ::testing::ElementsAre(HasSubstr("line 2, column 65537: the line is too long")));
  EXPECT_EQ(read.rows.size(), 1U);
  EXPECT_THAT(ReadAll(std::string(1000, '[') + "\n").bad_lines.front(), HasSubstr("line 1"));
  EXPECT_THAT(ReadAll("{\"a\":" + std::string(1000, '[') + "\n").bad_lines.front(), HasSubstr("line 1, column"));
  EXPECT_THAT(ReadAll("").error, HasSubstr("empty"));
  EXPECT_THAT(ReadAll("\n \n").error, HasSubstr("empty"));
}

TEST(CountsFile, UnknownNamesAreErrors) {
  EXPECT_THAT(ReadAll("article_id,hits\na,1\n").bad_lines.front(),
              HasSubstr("line 1, column 2: \"hits\" is not known"));
  EXPECT_THAT(ReadAll("article_id,views,views\na,1,1\n").bad_lines.front(),
              HasSubstr("column 3: views is there twice"));
  EXPECT_THAT(ReadAll("views\n1\n").bad_lines.front(), HasSubstr("no column article_id"));
  EXPECT_THAT(ReadAll(R"({"articleId":"a","views":1,"hits":2})").bad_lines.front(), HasSubstr("hits: is not known"));
}

std::string Snapshot(std::initializer_list<std::string_view> lines) {
  std::string text;
  for (const auto line : lines) text += std::string(line) + "\n";
  return text;
}

TEST(CountsFile, ReadsSnapshots) {
  auto file = FileOf(Snapshot({kHead, kRow, kEnd}), {});
  const Read read = ReadAll(*file);
  EXPECT_EQ(read.error, "");
  EXPECT_THAT(read.rows, ::testing::ElementsAre("x 1:0=5 2:0=1 3:20261122=4 4:498709=3"));
  EXPECT_EQ(file->head()->time_zone, "UTC");
  ASSERT_TRUE(file->Rewind().ok());
  EXPECT_EQ(ReadAll(*file).hash, read.hash);
}

TEST(CountsFile, ASnapshotThatIsCutOffIsRecognised) {
  const std::string whole = Snapshot({kHead, kRow, kEnd});
  for (size_t length = 0; length + 1 < whole.size(); ++length) {
    const Read read = ReadAll(whole.substr(0, length), {});
    EXPECT_TRUE(!read.error.empty() || !read.bad_lines.empty()) << length;
  }
  EXPECT_THAT(ReadAll(Snapshot({kHead, kRow}), {}).error, HasSubstr("ends after line 2 without its last line"));
  EXPECT_THAT(ReadAll(Snapshot({kHead, kEnd}), {}).error, HasSubstr("its last line counts 1 rows"));
  EXPECT_THAT(ReadAll(Snapshot({kHead, kRow, kRow, kEnd}), {}).error, HasSubstr("its last line counts 1 rows"));
  EXPECT_THAT(ReadAll(Snapshot({kHead, kRow, kEnd, kRow}), {}).error, HasSubstr("line 4 follows its last line"));
  EXPECT_THAT(ReadAll(Snapshot({kHead, kRow, kEnd, kHead}), {}).error, HasSubstr("line 4 follows its last line"));
  EXPECT_THAT(ReadAll(Snapshot({kHead, kHead}), {}).error, ::testing::Not(""));
  EXPECT_THAT(ReadAll(Snapshot({kRow, kEnd}), {}).error, HasSubstr("does not begin as one"));
  EXPECT_THAT(ReadAll(Snapshot({kHead, kRow, kEnd}), {.all_time = true}).error, HasSubstr("--all-time"));
}

TEST(CountsFile, ASnapshotOfALaterVersionIsRefused) {
  EXPECT_THAT(ReadAll(R"({"viewcountSnapshot":2,"timeZone":"UTC"})", {}).bad_lines.front(),
              HasSubstr("is 2; this program reads version 1"));
}

TEST(CountsFile, RandomChangesOfASnapshotDoNoHarm) {
  const uint64_t seed = TestSeed();
  std::mt19937_64 random(seed);
  const std::string whole =
      Snapshot({kHead, kRow, R"({"site":{"views":-1,"visitDays":{"2026-11-22":3}}})", R"({"alias":"a","into":"b"})",
                R"({"announced":{"articleId":"a","title":"t"}})", kEnd});
  for (int i = 0; i < 2'000; ++i) {
    std::string text = whole;
    for (int change = 0; change < 3; ++change) text[random() % text.size()] = static_cast<char>(random());
    ReadAll(text, {});
  }
}

TEST(CountsLines, AreReadAsTheyWereWritten) {
  v1::CountRow row;
  row.set_article_id("=x \"; \xC3\xA9");
  AddCount(v1::COUNT_KIND_ALL_TIME, 0, 9, row);
  AddCount(v1::COUNT_KIND_DAY, 20240229, 4, row);
  AddCount(v1::COUNT_KIND_HOUR, 498709, 3, row);
  v1::CountRow site;
  AddCount(v1::COUNT_KIND_ALL_TIME, 0, -9, site);
  AddCount(v1::COUNT_KIND_VISITS, 0, 7, site);
  AddCount(v1::COUNT_KIND_VISIT_DAY, 20261122, 7, site);
  for (const v1::CountRow& written : {row, site}) {
    const std::string line = RowLine(written);
    const auto item = ParseCountsLine(line, {});
    ASSERT_TRUE(item.ok()) << item.status();
    EXPECT_EQ(std::get<v1::CountRow>(*item).SerializeAsString(), written.SerializeAsString()) << line;
  }
}

TEST(JsonText, EscapesWhatJsonRequires) {
  EXPECT_EQ(JsonText("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(JsonText("số"), "\"số\"");
}

TEST(CountsDay, KnowsTheCalendar) {
  EXPECT_EQ(ParseCountsDay("2024-02-29"), 20240229U);
  for (const char* text : {"2023-02-29", "2026-13-01", "2026-00-10", "2026-11-31", "1969-12-31", "2026-1-1", "20261122",
                           "2026-11-22 ", "+026-11-22", "10000-01-01"}) {
    EXPECT_EQ(ParseCountsDay(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseCountsHour("1970-01-01T00"), 0U);
  EXPECT_EQ(CountsHourText(*ParseCountsHour("9999-12-31T23")), "9999-12-31T23");
  for (const char* text : {"2026-11-22T24", "2026-11-22 13", "2026-11-22T1", "2026-11-22T013"}) {
    EXPECT_EQ(ParseCountsHour(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace viewcount::cli
