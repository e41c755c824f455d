// Tests the texts and bodies of messages, also with titles that are written to do harm.
#include "service/alerts/alert_template.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "service/alerts/alert_limits.h"

namespace viewcount {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kEventNow = int64_t{1'796'000'000} * 1'000;
// Mentions and links of Slack, Markdown, functions of cards, HTML, JSON, lines, and a change of direction.
constexpr char kHostile[] =
    "<!channel> <https://evil.example|Login> & [a](https://evil.example) *b* {{DATE(2026-01-01,SHORT)}} "
    "\",\"text\":\"x\" </script>\r\n\x1b[31m\xe2\x80\xa8line \xe2\x80\xaegnp.exe \xff end";

absl::TimeZone Hanoi() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("Asia/Ho_Chi_Minh", &zone));
  return zone;
}

AlertEvent MakeEvent(v1::AlertFormat format = v1::ALERT_FORMAT_JSON) {
  AlertEvent event{.message = AlertMessage::kFired, .id = "0123"};
  event.alert.set_site("portal");
  event.alert.set_name("rush");
  event.alert.set_above_usual(3);
  event.alert.set_hours(2);
  event.alert.set_format(format);
  event.alert.set_chat("-100123");
  event.unix_ms = kEventNow;
  event.zone = Hanoi();
  event.views = HoursViews{.views = {.least = 12'345}, .usual = 4'000.5, .usual_days = 7};
  return event;
}

AlertEvent MakeDigestEvent(const std::string& title, v1::AlertFormat format = v1::ALERT_FORMAT_JSON) {
  AlertEvent event = MakeEvent(format);
  event.message = AlertMessage::kDigest;
  event.views.reset();
  event.alert.mutable_digest()->set_period(v1::DIGEST_PERIOD_DAY);
  event.alert.clear_hours();
  event.span = DigestOfDay(event.alert.digest(), absl::CivilDay(2026, 11, 30));
  DigestReading digest{.views = {.least = 1'100}, .views_before = {.least = 1'000}, .visits = 90, .visits_before = 100};
  auto& article = *digest.articles.add_articles();
  article.set_rank(1);
  article.set_article_id("news/1");
  article.set_title(title);
  article.set_views(700);
  digest.articles.set_exact(true);
  event.digest = std::move(digest);
  return event;
}

json::object Parse(const AlertEvent& event) { return json::parse(BodyOf(event)).as_object(); }
std::string Text(const json::value& value) { return json::value_to<std::string>(value); }

TEST(AlertTexts, StateTheConditionAndTheNumbers) {
  AlertEvent event = MakeEvent();
  EXPECT_THAT(LinesOf(event),
              ElementsAre("Alert: portal / rush: more than 3 times the usual views in 2 hours, the whole site",
                          "12,345 views in 2 hours; usually 4,001 (the mean of 7 days), 2026-11-30 07:53"));
  event.message = AlertMessage::kResolved;
  event.alert.set_section("sport");
  EXPECT_THAT(LinesOf(event)[0],
              "Resolved: portal / rush: no longer more than 3 times the usual views in 2 hours, the "
              "section \"sport\"");
  event.alert.set_views_below(1'000);
  event.alert.set_hours(1);
  event.message = AlertMessage::kRepeated;
  event.views = HoursViews{.views = {.least = 1, .exact = false}};
  EXPECT_THAT(LinesOf(event),
              ElementsAre("Still: portal / rush: fewer than 1,000 views in one hour, the section \"sport\"",
                          "at least 1 view in one hour, 2026-11-30 07:53"));
}

TEST(AlertTexts, AreVietnamese) {
  AlertEvent event = MakeEvent();
  event.alert.set_language(v1::ALERT_LANGUAGE_VIETNAMESE);
  EXPECT_THAT(
      LinesOf(event),
      ElementsAre("Cảnh báo: portal / rush: trên 3 lần mức thường trong 2 giờ, toàn trang",
                  "12.345 lượt xem trong 2 giờ; mức thường là 4.001 (trung bình của 7 ngày), 2026-11-30 07:53"));
  event = MakeDigestEvent("Mưa lớn");
  event.alert.set_language(v1::ALERT_LANGUAGE_VIETNAMESE);
  EXPECT_THAT(LinesOf(event),
              ElementsAre("portal, ngày 29/11/2026: toàn trang", "1.100 lượt xem (kỳ trước 1.000, +10 %)",
                          "90 lượt truy cập (kỳ trước 100, −10 %)", "1. Mưa lớn – 700"));
}

TEST(AlertTexts, DigestNamesThePeriodAndTheChange) {
  AlertEvent event = MakeDigestEvent("Rain");
  EXPECT_THAT(LinesOf(event), ElementsAre("portal, 2026-11-29: the whole site", "1,100 views (before: 1,000, +10 %)",
                                          "90 visits (before: 100, −10 %)", "1. Rain – 700"));
  event.alert.mutable_digest()->set_period(v1::DIGEST_PERIOD_WEEK);
  event.span = DigestOfDay(event.alert.digest(), absl::CivilDay(2026, 11, 30));
  EXPECT_EQ(LinesOf(event)[0], "portal, week 2026-11-23 – 2026-11-29: the whole site");
  event.digest->views_before.least = 0;
  EXPECT_EQ(LinesOf(event)[1], "1,100 views (before: 0)");
}

TEST(AlertTexts, OneLineHoldsNothingThatMovesTheText) {
  EXPECT_EQ(OneLineOf("a\r\nb\tc\x7f\xc2\x85"
                      "d\xe2\x80\xa8"
                      "e\xe2\x80\xae"
                      "f\xe2\x81\xa6g\xef\xbb\xbfh\xffi"),
            "a  b c  d e f g h?i");
  const std::string as(kAlertTitleCharactersMax, 'a');
  EXPECT_EQ(OneLineOf(as), as);
  const std::string cut = OneLineOf(as + "a");
  EXPECT_EQ(cut.size(), kAlertTitleCharactersMax - 1 + std::string_view("…").size());
  EXPECT_TRUE(cut.ends_with("a…")) << cut;
}

TEST(AlertTexts, AreBounded) {
  std::string wide;
  for (int i = 0; i < 1'000; ++i) wide += "ư";
  AlertEvent event = MakeDigestEvent(wide);
  for (int i = 0; i < 20; ++i) *event.digest->articles.add_articles() = event.digest->articles.articles(0);
  const std::string text = absl::StrJoin(LinesOf(event), "\n");
  EXPECT_LE(text.size(), 2 * kAlertTextCharactersMax);
  EXPECT_GT(LinesOf(event).size(), 8u);
}

TEST(AlertTemplates, OwnJsonHasAllNumbers) {
  const json::object body = Parse(MakeEvent());
  EXPECT_EQ(body.at("version").as_int64(), 1);
  EXPECT_EQ(Text(body.at("event")), "fired");
  EXPECT_EQ(Text(body.at("id")), "0123");
  EXPECT_EQ(Text(body.at("time")), "2026-11-30T07:53:20+07:00");
  EXPECT_EQ(body.at("condition"), json::parse(R"({"hours":2,"aboveUsual":3.0})"));
  EXPECT_EQ(body.at("subject"), json::parse(R"({"kind":"site"})"));
  EXPECT_EQ(body.at("views").as_int64(), 12'345);
  EXPECT_EQ(body.at("usual").as_double(), 4'000.5);
  EXPECT_EQ(body.at("usualDays").as_int64(), 7);
  const json::object digest = Parse(MakeDigestEvent("Rain")).at("digest").as_object();
  EXPECT_EQ(Text(digest.at("firstDay")), "2026-11-29");
  EXPECT_EQ(Text(digest.at("lastDay")), "2026-11-29");
  EXPECT_EQ(digest.at("viewsBefore").as_int64(), 1'000);
  EXPECT_EQ(Text(digest.at("articles").at(0).at("title")), "Rain");
}

TEST(AlertTemplates, HostileTitlesAreInertInSlack) {
  const json::object body = Parse(MakeDigestEvent(kHostile, v1::ALERT_FORMAT_SLACK));
  const std::string text = Text(body.at("text"));
  EXPECT_EQ(text.find_first_of("<>"), std::string::npos) << text;
  EXPECT_THAT(text, HasSubstr("&lt;!channel&gt; &lt;https://evil.example|Login&gt; &amp; [a]"));
  EXPECT_FALSE(body.at("mrkdwn").as_bool());
}

TEST(AlertTemplates, HostileTitlesAreInertInTeams) {
  const json::object body = Parse(MakeDigestEvent(kHostile, v1::ALERT_FORMAT_TEAMS));
  EXPECT_EQ(Text(body.at("type")), "message");
  const json::value& attachment = body.at("attachments").at(0);
  EXPECT_EQ(Text(attachment.at("contentType")), "application/vnd.microsoft.card.adaptive");
  const json::array& blocks = attachment.at("content").at("body").as_array();
  ASSERT_EQ(blocks.size(), 4u);
  for (const json::value& block : blocks) {
    EXPECT_EQ(Text(block.at("type")), "RichTextBlock");
    const json::value& run = block.at("inlines").at(0);
    EXPECT_EQ(Text(run.at("type")), "TextRun");
    EXPECT_THAT(Text(run.at("text")), Not(HasSubstr("{{")));
  }
}

TEST(AlertTemplates, HostileTitlesAreInertInTelegramAndZalo) {
  for (const v1::AlertFormat format : {v1::ALERT_FORMAT_TELEGRAM, v1::ALERT_FORMAT_ZALO}) {
    const json::object body = Parse(MakeDigestEvent(kHostile, format));
    EXPECT_EQ(Text(body.at("chat_id")), "-100123");
    EXPECT_FALSE(body.contains("parse_mode"));
    const std::string text = Text(body.at("text"));
    EXPECT_THAT(text, HasSubstr("1. <!channel>"));
    // Four lines: the title begins none.
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  }
}

TEST(AlertTemplates, HostileTitlesStayTextInJson) {
  const json::object body = Parse(MakeDigestEvent(kHostile));
  EXPECT_THAT(Text(body.at("text")), HasSubstr("\",\"text\":\"x\""));
  AlertEvent event = MakeEvent();
  event.alert.set_article_id("a");
  event.title = kHostile;
  EXPECT_THAT(Text(Parse(event).at("text")), HasSubstr("the article \"<!channel>"));
}

}  // namespace
}  // namespace viewcount
