// Tests which views the files of other counters stand for.
#include "client/cli/foreign_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "client/cli/foreign_csv.h"
#include "client/cli/foreign_row.h"
#include "service/base/limits.h"
#include "service/base/text.h"
#include "service/sites/time_zone.h"
#include "tests/support/seed.h"

namespace viewcount::cli {
namespace {

constexpr char kGoat1[] =
    "1Path,Title,Event,Bot,Session,FirstVisit,Referrer,Referrer scheme,Browser,Screen size,Location,Date\n";
constexpr char kGoat2[] =
    "2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,"
    "Date\n";
constexpr char kPages[] = "\"date\",\"hostname\",\"page\",\"visits\",\"visitors\",\"pageviews\"\n";

ForeignRules Rules() { return {.article_rule = {}, .days = {}}; }

FileParser Made(ForeignFormat format, const std::string& head, ForeignRules rules = Rules(),
                const std::string& name = "export.csv") {
  auto made = ParserOf(format, std::move(rules))(name, head);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

std::string Refusal(ForeignFormat format, const std::string& head, const std::string& name = "export.csv",
                    ForeignRules rules = Rules()) {
  const auto made = ParserOf(format, std::move(rules))(name, head);
  EXPECT_TRUE(absl::IsInvalidArgument(made.status())) << made.status();
  return std::string(made.status().message());
}

AccessLogLine Row(ForeignFormat format, const std::string& header, const std::string& row,
                  ForeignRules rules = Rules()) {
  const auto made = Made(format, header + row, std::move(rules));
  EXPECT_EQ(made.parser->Parse(header.substr(0, header.size() - 1)).kind, LineKind::kBlank);
  return made.parser->Parse(row);
}

TEST(CsvRows, QuotesJoinLines) {
  CsvRows rows;
  EXPECT_EQ(rows.Take("a,\"b"), CsvRows::Outcome::kMore);
  EXPECT_EQ(rows.Take(""), CsvRows::Outcome::kMore);
  EXPECT_EQ(rows.Take("c, \"\"d\"\"\",\r"), CsvRows::Outcome::kRow);
  EXPECT_EQ(rows.cells(), (std::vector<std::string>{"a", "b\n\nc, \"d\"", ""}));
  EXPECT_EQ(rows.Take("\"a\"b"), CsvRows::Outcome::kBroken);
  EXPECT_EQ(rows.Take("a"), CsvRows::Outcome::kRow);
}

TEST(CsvRows, AMissingQuoteCostsABoundedRow) {
  CsvRows rows;
  EXPECT_EQ(rows.Take("\""), CsvRows::Outcome::kMore);
  EXPECT_EQ(rows.Take(std::string(kCsvRowBytesMax, 'a')), CsvRows::Outcome::kBroken);
  EXPECT_EQ(rows.Take("a,b"), CsvRows::Outcome::kRow);
}

TEST(CsvRows, WhateverIsQuotedComesBack) {
  std::mt19937_64 random(TestSeed());
  CsvRows rows;
  for (int i = 0; i < 2'000; ++i) {
    std::vector<std::string> cells(1 + random() % 5);
    std::string text;
    for (auto& cell : cells) {
      const size_t size = random() % 8;
      while (cell.size() < size) cell += "a\",\n'\xff"[random() % 6];
      if (!text.empty() || &cell != &cells.front()) text += ',';
      text += '"';
      for (const char c : cell) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    auto outcome = CsvRows::Outcome::kMore;
    for (size_t begin = 0; begin <= text.size();) {
      ASSERT_EQ(outcome, CsvRows::Outcome::kMore) << text;
      const size_t end = std::min(text.find('\n', begin), text.size());
      outcome = rows.Take(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
    }
    ASSERT_EQ(outcome, CsvRows::Outcome::kRow) << text;
    ASSERT_EQ(rows.cells(), cells) << text;
  }
}

// Changes single bytes of good files. A line must be bad, or views that the service takes.
TEST(ForeignFormat, BrokenRowsAreNoStrangeViews) {
  std::mt19937_64 random(TestSeed());
  ForeignRules rules = Rules();
  rules.domains = {"vi"};
  const struct {
    ForeignFormat format;
    std::string header, row, name;
  } files[] = {{ForeignFormat::kGoatCounter, kGoat1, "/a,\"A\",false,0,s,true,,,,,,2026-11-30T16:05:00+07:00", "g"},
               {ForeignFormat::kPlausible, kPages, "\"2026-11-30\",\"example.org\",\"/a?b=c\",3,2,1234567", "p"},
               {ForeignFormat::kWikimedia, "vi A 1 0\n", "vi H\xC3\xA0 1000 0", "pageviews-20261201-000000"}};
  for (const auto& file : files) {
    const auto made = Made(file.format, file.header, rules, file.name);
    for (int i = 0; i < 5'000; ++i) {
      made.parser->Restart();
      made.parser->Skip(file.header);
      std::string row = file.row;
      for (uint64_t changes = random() % 4; changes > 0; --changes) {
        row[random() % row.size()] = random() % 2 == 0 ? "0129-:,\" /T+"[random() % 12] : static_cast<char>(random());
      }
      const auto line = made.parser->Parse(row);
      if (line.kind == LineKind::kBad) ASSERT_FALSE(line.problem.empty()) << row;
      if (!IsView(line.kind)) continue;
      ASSERT_TRUE(IsArticleId(line.article_id)) << row;
      ASSERT_GE(line.event_time_unix_ms, 1) << row;
      ASSERT_LE(line.event_time_unix_ms, limits::kEventTimeUnixMsMax) << row;
      ASSERT_GE(line.count, 1u) << row;
      ASSERT_LE(line.count, kLineViewsMax) << row;
    }
  }
}

TEST(GoatCounter, ARowIsAViewAtItsTime) {
  const auto old = Row(ForeignFormat::kGoatCounter, kGoat1,
                       "/a?utm_source=x,\"A, B\",false,0,s,true,,,Firefox,,VN,2026-11-30T23:05:00+07:00");
  EXPECT_EQ(old.kind, LineKind::kView);
  EXPECT_EQ(old.article_id, "/a");
  EXPECT_EQ(old.event_time_unix_ms, 1'796'054'700'000);
  EXPECT_EQ(old.count, 1u);
  EXPECT_EQ(old.viewer, 0u);
  const auto present =
      Row(ForeignFormat::kGoatCounter, kGoat2, "/b,B,false,,Firefox,Linux,s,0,,,,VN,true,2026-11-30T16:05:00Z");
  EXPECT_EQ(present.kind, LineKind::kView);
  EXPECT_EQ(present.event_time_unix_ms, old.event_time_unix_ms);
}

TEST(GoatCounter, EventsAndBotsAreApart) {
  const auto row = [](const std::string& event, const std::string& bot) {
    return Row(ForeignFormat::kGoatCounter, kGoat1, "/a,A," + event + "," + bot + ",s,true,,,,,,2026-11-30T16:05:00Z");
  };
  EXPECT_EQ(row("true", "0").kind, LineKind::kNoPage);
  EXPECT_EQ(row("false", "150").kind, LineKind::kBotView);
  EXPECT_EQ(row("1", "0").kind, LineKind::kNoPage) << "as SQLite writes it";
  EXPECT_EQ(row("0", "0").kind, LineKind::kView);
  EXPECT_EQ(row("maybe", "0").kind, LineKind::kBad);
  EXPECT_EQ(row("false", "x").kind, LineKind::kBad);
  EXPECT_EQ(Row(ForeignFormat::kGoatCounter, kGoat1, "/a,A,false,0,s,true,,,,,,yesterday").kind, LineKind::kBad);
  EXPECT_EQ(Row(ForeignFormat::kGoatCounter, kGoat1, "/a,A,false,0,s,true,,,,,,0001-01-01T00:00:00Z").kind,
            LineKind::kBad);
  EXPECT_EQ(Row(ForeignFormat::kGoatCounter, kGoat1, "/a,A").problem, "has 2 cells, and its header 12");
}

TEST(GoatCounter, AnotherHeaderIsShown) {
  EXPECT_NE(Refusal(ForeignFormat::kGoatCounter, "3Path,Title\x1b[2J,New\n").find("3Path,Title\\x1b[2J,New"),
            std::string::npos);
  Refusal(ForeignFormat::kGoatCounter, "");
  EXPECT_EQ(Made(ForeignFormat::kGoatCounter, "\xEF\xBB\xBF" + std::string(kGoat2)).parser->format(), "goatcounter 2");
}

TEST(GoatCounter, ALaterExportHasTheSameIdentity) {
  const std::string first = std::string(kGoat1) + "/a,A,false,0,s,true,,,,,,2026-11-30T16:05:00Z\n";
  const auto identity = Made(ForeignFormat::kGoatCounter, first).identity;
  EXPECT_EQ(Made(ForeignFormat::kGoatCounter, first + "/b\n").identity, identity);
  EXPECT_NE(Made(ForeignFormat::kGoatCounter, std::string(kGoat1) + "/b\n").identity, identity);
}

TEST(GoatCounter, ATitleIsNoPartOfARow) {
  const auto exported = [](const std::string& title, const std::string& session) {
    return std::string(kGoat1) + "/a,\"" + title + "\",false,0," + session + ",true,,,,,,2026-11-30T16:05:00Z\n";
  };
  const auto identity = [](const std::string& text) { return Made(ForeignFormat::kGoatCounter, text).identity; };
  EXPECT_EQ(identity(exported("One\nand two", "s")), identity(exported("Another", "s")));
  EXPECT_NE(identity(exported("One", "s")), identity(exported("One", "t")));
  const auto made = Made(ForeignFormat::kGoatCounter, kGoat1);
  const auto row = [&](const std::string& title) {
    made.parser->Restart();
    EXPECT_NE(made.parser->IdentityOf("1Path,Title"), "");
    EXPECT_EQ(made.parser->IdentityOf("/a,\"" + title), "");
    return std::string(made.parser->IdentityOf("b\",false,0,s,true,,,,,,2026-11-30T16:05:00Z"));
  };
  EXPECT_EQ(row("A"), row("B"));
  EXPECT_EQ(row("A"), "/a\nfalse\ns\n0\n2026-11-30T16:05:00Z");
}

TEST(GoatCounter, ALongLineEndsItsRow) {
  const auto made = Made(ForeignFormat::kGoatCounter, kGoat1);
  made.parser->Skip(kGoat1);
  made.parser->Skip("/a,\"never ended");
  EXPECT_TRUE(made.parser->row_is_open());
  made.parser->PassTooLong();
  EXPECT_FALSE(made.parser->row_is_open());
  EXPECT_EQ(made.parser->Parse("/a,A,false,0,s,true,,,,,,2026-11-30T16:05:00Z").kind, LineKind::kView);
}

TEST(GoatCounter, RestartForgetsAnUnfinishedRow) {
  const auto made = Made(ForeignFormat::kGoatCounter, kGoat1);
  made.parser->Skip(kGoat1);
  made.parser->Skip("/a,\"never ended");
  made.parser->Restart();
  made.parser->Skip(kGoat1);
  EXPECT_EQ(made.parser->Parse("/a,A,false,0,s,true,,,,,,2026-11-30T16:05:00Z").kind, LineKind::kView);
}

TEST(Plausible, ARowIsADayAtNoonOfTheSite) {
  ForeignRules rules = Rules();
  absl::TimeZone zone;
  ASSERT_TRUE(LoadZone("Asia/Ho_Chi_Minh", zone));
  rules.days = DayZones(zone);
  const auto row = Row(ForeignFormat::kPlausible, kPages, "\"2026-11-30\",\"Example.org\",\"/a\",3,2,1234567", rules);
  EXPECT_EQ(row.kind, LineKind::kView);
  EXPECT_EQ(row.count, 1'234'567u);
  EXPECT_EQ(row.event_time_unix_ms, 1'796'014'800'000) << "2026-11-30T05:00:00Z";
  const auto kind = [&](const std::string& text) { return Row(ForeignFormat::kPlausible, kPages, text, rules).kind; };
  EXPECT_EQ(kind("2026-11-30,example.org,/a,3,2,0"), LineKind::kNoPage);
  EXPECT_EQ(kind("2026-11-30,example.org,/a,3,2,1000000001"), LineKind::kBad);
  EXPECT_EQ(kind("2026-11-30,example.org,/a,3,2,-1"), LineKind::kBad);
  EXPECT_EQ(kind("2026-11-31,example.org,/a,3,2,1"), LineKind::kBad);
  EXPECT_EQ(kind("1969-11-30,example.org,/a,3,2,1"), LineKind::kBad);
}

TEST(Plausible, ColumnsAreKnownByName) {
  const std::string header =
      "date,hostname,page,visits,visitors,pageviews,total_scroll_depth,total_scroll_depth_visits\n";
  EXPECT_EQ(Row(ForeignFormat::kPlausible, header, "2026-11-30,h,/a,3,2,5,0,0").count, 5u);
  for (const char* text :
       {"date,page,pageviews,mood\n", "date,page\n", "date,page,pageviews,page\n", "\"date,page\n"}) {
    EXPECT_NE(Refusal(ForeignFormat::kPlausible, text).find("header"), std::string::npos) << text;
  }
}

TEST(Wikimedia, TheNameHasTheHourAndTheLineThePage) {
  ForeignRules rules = Rules();
  rules.domains = {"vi", "vi.m"};
  rules.prefix = "/wiki/";
  const auto made = Made(ForeignFormat::kWikimedia, "vi A 1 0\n", rules, "/data/pageviews-20261201-000000.gz");
  const auto line = made.parser->Parse("vi.m Hà_Nội?#x 1000001 0");
  EXPECT_EQ(line.kind, LineKind::kView);
  EXPECT_EQ(line.article_id, "/wiki/Hà_Nội?#x");
  EXPECT_EQ(line.count, 1'000'001u);
  EXPECT_EQ(line.event_time_unix_ms, 1'796'081'400'000) << "2026-11-30T23:30:00Z";
  EXPECT_EQ(made.parser->Parse("en A 1 0").kind, LineKind::kOtherHost);
  EXPECT_EQ(made.parser->Parse("vi - 1 0").kind, LineKind::kNoPage);
  for (const char* bad : {"vi A 1", "vi A x 0", "vi A 1 0 0", "vi  1 0", "vi A 1 0 ", "vi \x01 1 0"}) {
    EXPECT_EQ(made.parser->Parse(bad).kind, LineKind::kBad) << bad;
  }
}

TEST(Wikimedia, OtherNamesAndLinesAreRefused) {
  for (const char* name : {"-", "pageviews-20261301-000000", "pageviews-20261201-240000", "pageviews-20261201-003000",
                           "pagecounts-20261201-000000", "pageviews-20261201"}) {
    EXPECT_NE(Refusal(ForeignFormat::kWikimedia, "vi A 1 0\n", name).find("pageviews-YYYYMMDD-HH0000"),
              std::string::npos)
        << name;
  }
  EXPECT_NE(Refusal(ForeignFormat::kWikimedia, "en.wikipedia A 1 desktop 2 A1B1\n", "pageviews-20261201-000000")
                .find("en.wikipedia A 1 desktop"),
            std::string::npos);
}

}  // namespace
}  // namespace viewcount::cli
