// Tests the rules for the settings of alerts.
#include "service/alerts/alert_settings.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "service/alerts/alert_limits.h"
#include "service/alerts/alert_state.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

constexpr int64_t kSettingsNow = int64_t{1'796'000'000} * 1'000;

Site MakeDemo() { return *MakeSite("demo", {.time_zone = "Asia/Ho_Chi_Minh"}); }

v1::Alert Valid() {
  v1::Alert alert;
  alert.set_site("demo");
  alert.set_name("rush");
  alert.set_views_above(100);
  alert.set_webhook_url("https://hooks.example.org/services/token");
  alert.set_secret("0123456789abcdef");
  return alert;
}

absl::StatusOr<v1::Alert> Check(const v1::Alert& alert, const v1::Alert* present = nullptr) {
  return CheckedAlert(alert, MakeDemo(), present, AddressRanges(), kSettingsNow);
}

TEST(AlertSettings, EveryWrongFieldIsNamed) {
  struct Case {
    std::string field;
    std::function<void(v1::Alert&)> spoil;
  };
  const std::vector<Case> cases = {
      {"alert.name", [](v1::Alert& alert) { alert.set_name("a/b"); }},
      {"alert.name", [](v1::Alert& alert) { alert.clear_name(); }},
      {"alert.condition", [](v1::Alert& alert) { alert.clear_condition(); }},
      {"alert.views_above", [](v1::Alert& alert) { alert.set_views_above(kAlertViewsMax + 1); }},
      {"alert.views_below", [](v1::Alert& alert) { alert.set_views_below(0); }},
      {"alert.above_usual", [](v1::Alert& alert) { alert.set_above_usual(1); }},
      {"alert.above_usual", [](v1::Alert& alert) { alert.set_above_usual(std::stod("nan")); }},
      {"alert.below_usual", [](v1::Alert& alert) { alert.set_below_usual(1); }},
      {"alert.below_usual", [](v1::Alert& alert) { alert.set_below_usual(0); }},
      {"alert.digest.period", [](v1::Alert& alert) { alert.mutable_digest()->set_hour(8); }},
      {"alert.digest.hour",
       [](v1::Alert& alert) {
         alert.mutable_digest()->set_period(v1::DIGEST_PERIOD_DAY);
         alert.mutable_digest()->set_hour(24);
       }},
      {"alert.hours", [](v1::Alert& alert) { alert.set_hours(25); }},
      {"alert.hours",
       [](v1::Alert& alert) {
         alert.mutable_digest()->set_period(v1::DIGEST_PERIOD_WEEK);
         alert.set_hours(1);
       }},
      {"alert.minimum_usual", [](v1::Alert& alert) { alert.set_minimum_usual(5); }},
      {"alert.repeat_every", [](v1::Alert& alert) { alert.mutable_repeat_every()->set_seconds(240); }},
      {"alert.repeat_every", [](v1::Alert& alert) { alert.mutable_repeat_every()->set_seconds(330); }},
      {"alert.repeat_every", [](v1::Alert& alert) { alert.mutable_repeat_every()->set_seconds(INT64_MAX); }},
      {"alert.section", [](v1::Alert& alert) { alert.set_section(""); }},
      {"alert.section", [](v1::Alert& alert) { alert.set_section(std::string(1'000, 'a')); }},
      {"alert.article_id", [](v1::Alert& alert) { alert.set_article_id(""); }},
      {"alert.address", [](v1::Alert& alert) { alert.set_address(""); }},
      {"alert.format", [](v1::Alert& alert) { alert.set_format(static_cast<v1::AlertFormat>(9)); }},
      {"alert.language", [](v1::Alert& alert) { alert.set_language(static_cast<v1::AlertLanguage>(9)); }},
      {"alert.chat", [](v1::Alert& alert) { alert.set_format(v1::ALERT_FORMAT_TELEGRAM); }},
      {"alert.chat", [](v1::Alert& alert) { alert.set_chat("1"); }},
      {"alert.secret", [](v1::Alert& alert) { alert.set_secret("short"); }},
      {"alert.webhook_url", [](v1::Alert& alert) { alert.clear_webhook_url(); }},
      {"alert.webhook_url", [](v1::Alert& alert) { alert.set_webhook_url("http://127.0.0.1/"); }},
  };
  EXPECT_TRUE(Check(Valid()).ok());
  for (const Case& one : cases) {
    v1::Alert alert = Valid();
    one.spoil(alert);
    const auto checked = Check(alert);
    EXPECT_FALSE(checked.ok()) << one.field << " " << alert.ShortDebugString();
    EXPECT_EQ(FieldOf(checked.status()), one.field) << checked.status();
  }
}

TEST(AlertSettings, WhatIsEmptyKeepsThePresentValue) {
  const v1::Alert present = *Check(Valid());
  v1::Alert changed = Valid();
  changed.clear_webhook_url();
  changed.clear_secret();
  changed.set_views_below(5);
  const auto checked = Check(changed, &present);
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->webhook_url(), present.webhook_url());
  EXPECT_EQ(checked->secret(), present.secret());
  EXPECT_EQ(checked->create_time().seconds(), present.create_time().seconds());
  EXPECT_EQ(checked->views_below(), 5u);
}

TEST(AlertSettings, DigestOfChangedSettingsIsNotSentAtOnce) {
  const Site site = MakeDemo();
  constexpr int64_t kLater = kSettingsNow + int64_t{30} * 24 * 3'600'000;
  const auto change = [&](const v1::Alert& asked, const v1::Alert& present) {
    return *CheckedAlert(asked, site, &present, AddressRanges(), kLater);
  };
  const auto is_due = [&](const v1::Alert& alert, int64_t unix_ms) {
    return AfterDigestTime(alert, PresentState(alert, site.zone, ""), site.zone, unix_ms).has_value();
  };
  const v1::Alert condition = *Check(Valid());
  v1::Alert digest = condition;
  digest.mutable_digest()->set_period(v1::DIGEST_PERIOD_DAY);
  v1::Alert other_hour = digest;
  other_hour.mutable_digest()->set_hour(23);
  for (const v1::Alert& changed : {change(digest, condition), change(other_hour, digest)}) {
    EXPECT_EQ(changed.create_time().seconds(), kSettingsNow / 1'000);
    EXPECT_EQ(changed.watch_time().seconds(), kLater / 1'000);
    EXPECT_FALSE(is_due(changed, kLater));
    EXPECT_TRUE(is_due(changed, kLater + int64_t{24} * 3'600'000));
  }
  // A new webhook does not hide a digest that is due.
  digest.set_webhook_url("https://other.example.org");
  const v1::Alert same = change(digest, digest);
  EXPECT_EQ(same.watch_time().seconds(), kSettingsNow / 1'000);
  EXPECT_TRUE(is_due(same, kLater));
}

TEST(AlertSettings, AddressBecomesAnArticle) {
  v1::Alert alert = Valid();
  alert.set_address("https://portal.example.org/news.aspx?ItemID=3933&utm_source=x");
  const auto checked = Check(alert);
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_FALSE(checked->has_address());
  EXPECT_EQ(checked->article_id(), "/news.aspx?ItemID=3933");
}

TEST(AlertSettings, ShownAlertHasNoSecrets) {
  const v1::Alert shown = ShownAlert(*Check(Valid()));
  EXPECT_EQ(shown.webhook_origin(), "https://hooks.example.org");
  const std::string text = shown.DebugString();
  EXPECT_EQ(text.find("token"), std::string::npos) << text;
  EXPECT_EQ(text.find("0123456789abcdef"), std::string::npos) << text;
}

TEST(AlertSettings, StoredTextIsReadAgain) {
  const v1::Alert alert = *Check(Valid());
  const auto parsed = ParseAlert(EncodeAlert(alert));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->SerializeAsString(), alert.SerializeAsString());
}

TEST(AlertSettings, UnusableStoredTextsAreNone) {
  EXPECT_FALSE(ParseAlert(""));
  EXPECT_FALSE(ParseAlert("no message"));
  v1::Alert alert = *Check(Valid());
  alert.mutable_create_time()->set_seconds(INT64_MAX);
  EXPECT_FALSE(ParseAlert(EncodeAlert(alert)));
  alert = *Check(Valid());
  alert.clear_condition();
  EXPECT_FALSE(ParseAlert(EncodeAlert(alert)));
  alert = *Check(Valid());
  alert.mutable_repeat_every()->set_seconds(-1);
  EXPECT_FALSE(ParseAlert(EncodeAlert(alert)));
}

}  // namespace
}  // namespace viewcount
