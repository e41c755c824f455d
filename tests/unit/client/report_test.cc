// Tests the windows and the forms of reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/report_formats.h"
#include "client/cli/report_window.h"
#include "client/cli/report_words.h"

namespace viewcount::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

absl::TimeZone Zone(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone));
  return zone;
}

std::string Text(const ReportSpan& span, const absl::TimeZone& zone) {
  return absl::FormatTime("%Y-%m-%d %H:%M ", span.start, zone) + absl::FormatTime("%Y-%m-%d %H:%M", span.end, zone);
}

TEST(ReportWindow, MonthsAreThoseOfTheSite) {
  const auto zone = Zone("Asia/Ho_Chi_Minh");
  // It is December in Vietnam already.
  const absl::Time now = absl::FromUnixSeconds(1'796'058'000);
  EXPECT_EQ(Text(*MonthSpan("", zone, now), zone), "2026-11-01 00:00 2026-12-01 00:00");
  EXPECT_EQ(Text(*MonthSpan("", absl::UTCTimeZone(), now), absl::UTCTimeZone()), "2026-10-01 00:00 2026-11-01 00:00");
  EXPECT_EQ(Text(*MonthSpan("2024-02", zone, now), zone), "2024-02-01 00:00 2024-03-01 00:00");
  EXPECT_TRUE(MonthSpan("2026-12", zone, now).ok());
  EXPECT_THAT(std::string(MonthSpan("2027-01", zone, now).status().message()),
              HasSubstr("--month 2027-01 has not begun; the last whole month is 2026-11"));
  for (const char* text : {"2026", "2026-13", "2026-00", "2026-1x", "x026-10", "2026/10", "2026-100"}) {
    EXPECT_FALSE(MonthSpan(text, zone, now).ok()) << text;
  }
}

TEST(ReportWindow, TheWindowBeforeHasTheSameKind) {
  const auto zone = Zone("Europe/Berlin");
  const auto span = [&](absl::CivilHour from, absl::CivilHour to) {
    return ReportSpan{absl::FromCivil(from, zone), absl::FromCivil(to, zone)};
  };
  const auto before = [&](const ReportSpan& of) { return Text(SpanBefore(of, zone), zone); };
  // A month before March with 31 days is February with 29.
  EXPECT_EQ(before(span(absl::CivilHour(2024, 3, 1, 0), absl::CivilHour(2024, 4, 1, 0))),
            "2024-02-01 00:00 2024-03-01 00:00");
  // Clocks change on 31 March.
  EXPECT_EQ(before(span(absl::CivilHour(2024, 3, 31, 0), absl::CivilHour(2024, 4, 2, 0))),
            "2024-03-29 00:00 2024-03-31 00:00");
  EXPECT_EQ(before(span(absl::CivilHour(2024, 4, 2, 3), absl::CivilHour(2024, 4, 2, 5))),
            "2024-04-02 01:00 2024-04-02 03:00");
}

Report Example() {
  Report report;
  report.site = "portal";
  report.zone_name = "Asia/Ho_Chi_Minh";
  report.zone = Zone("Asia/Ho_Chi_Minh");
  report.days = report.zone;
  report.span = {absl::FromCivil(absl::CivilDay(2024, 2, 1), report.zone),
                 absl::FromCivil(absl::CivilDay(2024, 2, 4), report.zone)};
  report.of_days = true;
  report.as_of = absl::FromCivil(absl::CivilHour(2024, 3, 1, 9), report.zone);
  report.exact = true;
  report.views = {.now = 1'234'500, .before = 1'000'000};
  for (int day = 1; day <= 3; ++day) {
    report.points.push_back({absl::FromCivil(absl::CivilDay(2024, 2, day), report.zone), 411'500});
  }
  report.before = {absl::FromCivil(absl::CivilDay(2024, 1, 29), report.zone), report.span.start};
  report.articles = {{.rank = 1,
                      .id = "/a",
                      .title = "=<script>alert(\"1\")</script>\x1B[2J",
                      .url = "javascript:alert(1)",
                      .section = "<i>&",
                      .views = {.now = 617'250, .before = 1'000'000},
                      .rank_before = 2},
                     {.rank = 2, .id = "/b?x=\"y\"", .url = "https://a/b?\"><b>", .views = {.now = 1}}};
  report.sums = {.sections = {{.name = "<i>&", .views = {.now = 617'250, .before = 0}}, {.views = {.now = 1}}},
                 .authors = {{.views = {.now = 617'251}}}};
  report.listed_articles = 2;
  report.listed_views = 617'251;
  return report;
}

TEST(Report, HtmlIsSelfContainedAndEscaped) {
  const std::string html = ReportHtml(Example(), ReportLanguage::kEnglish);
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("javascript:")));
  EXPECT_THAT(html, Not(HasSubstr("\x1B")));
  EXPECT_THAT(html, Not(HasSubstr("<i>")));
  EXPECT_THAT(html, Not(HasSubstr("\"><b>")));
  EXPECT_THAT(html, Not(HasSubstr(" src=")));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, HasSubstr("@page { size: A4;"));
  EXPECT_THAT(html,
              HasSubstr("<td class=\"n\">1,234,500</td><td class=\"n\">1,000,000</td><td class=\"n\">+23.4%</td>"));
  EXPECT_THAT(html, HasSubstr("(no section)"));
  // Without announced authors there is no table of them.
  EXPECT_THAT(html, Not(HasSubstr("<h2>Authors</h2>")));
}

TEST(Report, CsvHasNoFormulas) {
  const std::string csv = ReportCsv(Example());
  EXPECT_THAT(csv, HasSubstr("\narticle,,,1,/a,\"'=<script>alert(\"\"1\"\")</script>"));
  EXPECT_THAT(csv, HasSubstr(",<i>&,617250,50.0000,1000000,2\n"));
  EXPECT_THAT(csv, HasSubstr("\nperiod,2024-02-01T00:00:00+07:00,2024-02-04T00:00:00+07:00,,portal,"));
  EXPECT_THAT(csv, HasSubstr("\nday,2024-02-02T00:00:00+07:00,,,,,,411500,,,\n"));
}

TEST(Report, TextCannotControlATerminal) {
  const std::string text = ReportText(Example(), ReportLanguage::kEnglish);
  EXPECT_THAT(text, Not(HasSubstr("\x1B")));
  EXPECT_THAT(text, HasSubstr("Period: 2024-02-01 – 2024-02-03\n"));
  EXPECT_THAT(text, HasSubstr("   1  617,250  50.0%            2  1,000,000  -38.3%  <i>&"));
  EXPECT_THAT(text, HasSubstr("sums over the 2 most viewed articles, which have 617,251 of 1,234,500 views"));
  EXPECT_THAT(text, HasSubstr("Visits and viewers are kept for today"));
}

TEST(Report, VietnameseHasItsOwnNumbersAndDates) {
  const std::string text = ReportText(Example(), ReportLanguage::kVietnamese);
  EXPECT_THAT(text, HasSubstr("Kỳ báo cáo: 01/02/2024 – 03/02/2024\n"));
  EXPECT_THAT(text, HasSubstr("1.234.500"));
  EXPECT_THAT(text, HasSubstr("+23,4 %"));
  EXPECT_THAT(ReportHtml(Example(), ReportLanguage::kVietnamese), HasSubstr("<html lang=\"vi\">"));
}

TEST(Report, SaysWhatIsNotExact) {
  Report report = Example();
  report.exact = false;
  report.as_of = report.span.start;
  report.visits = 5;
  report.viewers = 3;
  report.viewers_error = 0.0082;
  report.before.reset();
  report.before_problem = "hours are kept for 8 days";
  const std::string text = ReportText(report, ReportLanguage::kEnglish);
  EXPECT_THAT(text, HasSubstr("The numbers of views are not exact"));
  EXPECT_THAT(text, HasSubstr("The period is not over."));
  EXPECT_THAT(text, HasSubstr("a standard error of 0.8%"));
  EXPECT_THAT(text, HasSubstr("The period before cannot be read: hours are kept for 8 days."));
}

TEST(ReportWindow, DaysBeforeAChangeOfTheZoneAreThoseOfTheZoneBefore) {
  const absl::TimeZone hanoi = Zone("Asia/Ho_Chi_Minh");
  const absl::Time change = absl::FromCivil(absl::CivilHour(2026, 11, 15, 3), absl::UTCTimeZone());
  const DayZones days(absl::UTCTimeZone(), {{hanoi, absl::ToUnixMillis(change)}});
  const absl::Time now = absl::FromCivil(absl::CivilDay(2026, 12, 20), absl::UTCTimeZone());
  const auto october = MonthSpan("2026-10", days, now);
  ASSERT_TRUE(october.ok());
  EXPECT_EQ(october->start, absl::FromCivil(absl::CivilDay(2026, 10, 1), hanoi));
  EXPECT_TRUE(IsOfDays(*october, days));
  const auto november = MonthSpan("", days, now);
  ASSERT_TRUE(november.ok());
  EXPECT_EQ(november->start, absl::FromCivil(absl::CivilDay(2026, 11, 1), hanoi));
  EXPECT_EQ(november->end, absl::FromCivil(absl::CivilDay(2026, 12, 1), absl::UTCTimeZone()));
  EXPECT_EQ(SpanBefore(*november, days).start, october->start);
}

}  // namespace
}  // namespace viewcount::cli
