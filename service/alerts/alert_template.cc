#include "service/alerts/alert_template.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/text.h"

namespace viewcount {
namespace json = boost::json;

namespace {

constexpr int kJsonVersion = 1;
constexpr std::string_view kCardType = "application/vnd.microsoft.card.adaptive";

std::string_view EventName(const AlertEvent& event) {
  if (event.is_test) return "test";
  switch (event.message) {
    case AlertMessage::kResolved:
      return "resolved";
    case AlertMessage::kRepeated:
      return "repeated";
    case AlertMessage::kDigest:
      return "digest";
    default:
      return "fired";
  }
}

// Returns a text with '?' in place of ill-formed bytes, which JSON cannot have.
std::string WellFormed(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = Utf8SequenceBytes(text, at);
    result += bytes == 0 ? "?" : text.substr(at, bytes);
    at += std::max<size_t>(1, bytes);
  }
  return result;
}

std::string DayText(absl::CivilDay day) { return absl::FormatCivilTime(day); }

json::object SubjectOf(const AlertEvent& event) {
  const v1::Alert& alert = event.alert;
  if (alert.has_section()) return {{"kind", "section"}, {"section", WellFormed(alert.section())}};
  if (!alert.has_article_id()) return {{"kind", "site"}};
  json::object article = {{"kind", "article"}, {"articleId", WellFormed(alert.article_id())}};
  if (!event.title.empty()) article["title"] = WellFormed(event.title);
  return article;
}

json::object ConditionOf(const v1::Alert& alert) {
  json::object condition = {{"hours", WatchedHoursOf(alert)}};
  if (alert.has_views_above()) condition["viewsAbove"] = alert.views_above();
  if (alert.has_views_below()) condition["viewsBelow"] = alert.views_below();
  if (alert.has_above_usual()) condition["aboveUsual"] = alert.above_usual();
  if (alert.has_below_usual()) condition["belowUsual"] = alert.below_usual();
  return condition;
}

void AddViews(const HoursViews& hours, json::object& body) {
  body["views"] = hours.views.least;
  body["viewsExact"] = hours.views.exact;
  if (!hours.usual) return;
  body["usual"] = *hours.usual;
  body["usualDays"] = hours.usual_days;
}

json::object DigestOf(const AlertEvent& event) {
  const DigestReading& reading = *event.digest;
  const bool weekly = event.alert.digest().period() == v1::DIGEST_PERIOD_WEEK;
  json::object digest = {{"period", weekly ? "week" : "day"},
                         {"firstDay", DayText(event.span.begin)},
                         {"lastDay", DayText(event.span.end - 1)},
                         {"views", reading.views.least},
                         {"viewsExact", reading.views.exact},
                         {"viewsBefore", reading.views_before.least},
                         {"viewsBeforeExact", reading.views_before.exact}};
  if (reading.visits) digest["visits"] = *reading.visits;
  if (reading.visits_before) digest["visitsBefore"] = *reading.visits_before;
  if (event.alert.has_article_id()) return digest;
  json::array articles;
  for (const auto& article : reading.articles.articles()) {
    articles.push_back(json::object{{"rank", article.rank()},
                                    {"articleId", WellFormed(article.article_id())},
                                    {"title", WellFormed(article.title())},
                                    {"url", WellFormed(article.url())},
                                    {"views", article.views()}});
  }
  digest["articles"] = std::move(articles);
  digest["articlesExact"] = reading.articles.exact();
  return digest;
}

std::string TextOf(const std::vector<std::string>& lines) { return absl::StrJoin(lines, "\n"); }

json::object OwnBody(const AlertEvent& event, const std::vector<std::string>& lines) {
  json::object body = {{"version", kJsonVersion},
                       {"id", event.id},
                       {"event", json::string_view(EventName(event).data(), EventName(event).size())},
                       {"site", event.alert.site()},
                       {"alert", event.alert.name()},
                       {"time", absl::FormatTime(absl::RFC3339_sec, absl::FromUnixMillis(event.unix_ms), event.zone)},
                       {"text", TextOf(lines)},
                       {"subject", SubjectOf(event)}};
  if (!event.alert.has_digest()) body["condition"] = ConditionOf(event.alert);
  if (event.views) AddViews(*event.views, body);
  if (event.digest) body["digest"] = DigestOf(event);
  return body;
}

// Slack takes these three characters for the beginnings of links, mentions and entities.
json::object SlackBody(const std::vector<std::string>& lines) {
  const std::string text = absl::StrReplaceAll(TextOf(lines), {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
  return {{"text", text}, {"mrkdwn", false}, {"unfurl_links", false}, {"unfurl_media", false}};
}

// A card of text runs, because text runs have no Markdown, unlike text blocks. Braces would begin a function such as
// {{DATE(…)}}.
json::object TeamsBody(const std::vector<std::string>& lines) {
  json::array blocks;
  for (size_t i = 0; i < lines.size(); ++i) {
    json::object run = {{"type", "TextRun"}, {"text", absl::StrReplaceAll(lines[i], {{"{{", "{ {"}, {"}}", "} }"}})}};
    if (i == 0) run["weight"] = "Bolder";
    blocks.push_back(json::object{{"type", "RichTextBlock"}, {"inlines", json::array{std::move(run)}}});
  }
  json::object card = {{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                       {"type", "AdaptiveCard"},
                       {"version", "1.4"},
                       {"body", std::move(blocks)}};
  json::object attachment = {{"contentType", json::string_view(kCardType.data(), kCardType.size())},
                             {"contentUrl", nullptr},
                             {"content", std::move(card)}};
  return {{"type", "message"}, {"attachments", json::array{std::move(attachment)}}};
}

}  // namespace

std::string BodyOf(const AlertEvent& event) {
  const std::vector<std::string> lines = LinesOf(event);
  switch (event.alert.format()) {
    case v1::ALERT_FORMAT_SLACK:
      return json::serialize(SlackBody(lines));
    case v1::ALERT_FORMAT_TEAMS:
      return json::serialize(TeamsBody(lines));
    case v1::ALERT_FORMAT_TELEGRAM:
      // Without parse_mode the text has no markup.
      return json::serialize(
          json::object{{"chat_id", event.alert.chat()}, {"text", TextOf(lines)}, {"disable_web_page_preview", true}});
    case v1::ALERT_FORMAT_ZALO:
      return json::serialize(json::object{{"chat_id", event.alert.chat()}, {"text", TextOf(lines)}});
    default:
      return json::serialize(OwnBody(event, lines));
  }
}

}  // namespace viewcount
