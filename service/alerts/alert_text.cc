#include "service/alerts/alert_text.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "service/alerts/alert_limits.h"
#include "service/base/text.h"

namespace viewcount {
namespace {

// The code point of a well-formed sequence of UTF-8.
char32_t CodePointOf(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first;
  char32_t point = first & (0xFFu >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) point = point << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  return point;
}

// Returns whether a character has no place in a line of text.
bool BreaksLine(char32_t point) {
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  const bool separator = point == 0x2028 || point == 0x2029;
  const bool direction = point == 0x061C || point == 0x200E || point == 0x200F ||
                         (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
  return control || separator || direction || point == 0xFEFF;
}

// Returns at most `characters` characters of a well-formed text, the last one of which says that others follow.
std::string Shortened(std::string_view text, size_t characters) {
  std::string result;
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    const size_t bytes = std::max<size_t>(1, Utf8SequenceBytes(text, at));
    if (count + 1 == characters && at + bytes < text.size()) return result + "…";
    result += text.substr(at, bytes);
    at += bytes;
  }
  return result;
}

size_t CharactersIn(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

// Writes the texts of one language.
class Writer {
 public:
  explicit Writer(const AlertEvent& event)
      : event_(event), alert_(event.alert), vi_(event.alert.language() == v1::ALERT_LANGUAGE_VIETNAMESE) {}

  std::vector<std::string> Lines() const {
    std::vector<std::string> lines = {Headline()};
    if (event_.digest) {
      AddDigest(lines);
    } else {
      lines.push_back(Numbers());
    }
    return lines;
  }

 private:
  // Returns a number with its groups of three digits separated as the language does.
  std::string Number(uint64_t number) const {
    std::string text = Grouped(number);
    if (vi_) std::replace(text.begin(), text.end(), ',', '.');
    return text;
  }
  std::string Decimal(double number) const {
    constexpr double kShownWhole = 1'000;
    if (number >= kShownWhole) return Number(static_cast<uint64_t>(std::llround(number)));
    std::string text = fmt::format("{:.1f}", number);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    if (vi_) std::replace(text.begin(), text.end(), '.', ',');
    return text;
  }
  std::string Views(const KnownViews& views) const {
    const std::string number = Number(views.least);
    const std::string bound = views.exact ? "" : vi_ ? "ít nhất " : "at least ";
    return bound + number + (vi_ ? " lượt xem" : views.least == 1 ? " view" : " views");
  }
  std::string Day(absl::CivilDay day) const {
    return vi_ ? fmt::format("{:02}/{:02}/{:04}", day.day(), day.month(), day.year())
               : fmt::format("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
  }

  std::string Subject() const {
    if (alert_.has_section()) {
      const std::string section = OneLineOf(alert_.section());
      return vi_ ? fmt::format("chuyên mục \"{}\"", section) : fmt::format("the section \"{}\"", section);
    }
    if (!alert_.has_article_id()) return vi_ ? "toàn trang" : "the whole site";
    const std::string title = OneLineOf(event_.title.empty() ? alert_.article_id() : event_.title);
    return vi_ ? fmt::format("bài \"{}\"", title) : fmt::format("the article \"{}\"", title);
  }

  std::string Condition() const {
    switch (alert_.condition_case()) {
      case v1::Alert::kViewsAbove:
        return fmt::format(fmt::runtime(vi_ ? "trên {} lượt xem" : "more than {} views"), Number(alert_.views_above()));
      case v1::Alert::kViewsBelow:
        return fmt::format(fmt::runtime(vi_ ? "dưới {} lượt xem" : "fewer than {} views"),
                           Number(alert_.views_below()));
      case v1::Alert::kAboveUsual:
        return fmt::format(fmt::runtime(vi_ ? "trên {} lần mức thường" : "more than {} times the usual views"),
                           Decimal(alert_.above_usual()));
      case v1::Alert::kBelowUsual:
        return fmt::format(fmt::runtime(vi_ ? "dưới {} % mức thường" : "less than {} % of the usual views"),
                           Decimal(alert_.below_usual() * 100));
      case v1::Alert::kDigest:
      case v1::Alert::CONDITION_NOT_SET:
        break;
    }
    return "";
  }

  std::string Hours() const {
    const uint32_t hours = WatchedHoursOf(alert_);
    if (vi_) return fmt::format("trong {} giờ", hours);
    return hours == 1 ? "in one hour" : fmt::format("in {} hours", hours);
  }

  std::string Headline() const {
    const std::string test = !event_.is_test ? "" : vi_ ? "[Thử] " : "[Test] ";
    const std::string name = fmt::format("{} / {}", alert_.site(), alert_.name());
    if (alert_.has_digest()) return test + DigestHeadline();
    const std::string what = fmt::format("{} {}, {}", Condition(), Hours(), Subject());
    if (event_.is_test) return fmt::format("{}{}: {}", test, name, what);
    switch (event_.message) {
      case AlertMessage::kResolved:
        return fmt::format(fmt::runtime(vi_ ? "Đã hết: {}: không còn {}" : "Resolved: {}: no longer {}"), name, what);
      case AlertMessage::kRepeated:
        return fmt::format(fmt::runtime(vi_ ? "Vẫn còn: {}: {}" : "Still: {}: {}"), name, what);
      default:
        return fmt::format(fmt::runtime(vi_ ? "Cảnh báo: {}: {}" : "Alert: {}: {}"), name, what);
    }
  }

  std::string Numbers() const {
    if (!event_.views) return vi_ ? "Hiện chưa đọc được số liệu." : "The numbers cannot be read at present.";
    const HoursViews& hours = *event_.views;
    std::string text = Views(hours.views) + " " + Hours();
    if (hours.usual) {
      const char* const mean =
          hours.usual_days == 1 ? "; usually {} (on {} day)" : "; usually {} (the mean of {} days)";
      text += fmt::format(fmt::runtime(vi_ ? "; mức thường là {} (trung bình của {} ngày)" : mean),
                          Decimal(*hours.usual), hours.usual_days);
    }
    return text + ", " + absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMillis(event_.unix_ms), event_.zone);
  }

  std::string DigestHeadline() const {
    const bool weekly = alert_.digest().period() == v1::DIGEST_PERIOD_WEEK;
    const std::string days =
        weekly ? fmt::format("{} – {}", Day(event_.span.begin), Day(event_.span.end - 1)) : Day(event_.span.begin);
    const char* const form =
        weekly ? (vi_ ? "{}, tuần {}: {}" : "{}, week {}: {}") : (vi_ ? "{}, ngày {}: {}" : "{}, {}: {}");
    return fmt::format(fmt::runtime(form), alert_.site(), days, Subject());
  }

  std::string Change(double now, double before) const {
    if (before <= 0) return "";
    const double percent = (now / before - 1) * 100;
    return fmt::format(", {}{} %", percent < 0 ? "−" : "+", Decimal(std::abs(percent)));
  }

  void AddDigest(std::vector<std::string>& lines) const {
    const DigestReading& digest = *event_.digest;
    const bool comparable = digest.views.exact && digest.views_before.exact;
    const auto now = static_cast<double>(digest.views.least), before = static_cast<double>(digest.views_before.least);
    const char* const form = vi_ ? "{} (kỳ trước {}{})" : "{} (before: {}{})";
    lines.push_back(fmt::format(fmt::runtime(form), Views(digest.views), Number(digest.views_before.least),
                                comparable ? Change(now, before) : ""));
    if (digest.visits && digest.visits_before) {
      const auto visits = static_cast<double>(*digest.visits),
                 visits_before = static_cast<double>(*digest.visits_before);
      lines.push_back(fmt::format(fmt::runtime(form), Number(*digest.visits) + (vi_ ? " lượt truy cập" : " visits"),
                                  Number(*digest.visits_before), Change(visits, visits_before)));
    }
    for (const auto& article : digest.articles.articles()) {
      const std::string& name = article.title().empty() ? article.article_id() : article.title();
      lines.push_back(fmt::format("{}. {} – {}", article.rank(), OneLineOf(name), Number(article.views())));
    }
  }

  const AlertEvent& event_;
  const v1::Alert& alert_;
  const bool vi_;
};

}  // namespace

std::string OneLineOf(std::string_view text) {
  std::string line;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = Utf8SequenceBytes(text, at);
    if (bytes == 0) {
      line += '?';
      ++at;
      continue;
    }
    const std::string_view sequence = text.substr(at, bytes);
    line += BreaksLine(CodePointOf(sequence)) ? " " : sequence;
    at += bytes;
  }
  return Shortened(line, kAlertTitleCharactersMax);
}

std::vector<std::string> LinesOf(const AlertEvent& event) {
  std::vector<std::string> lines = Writer(event).Lines();
  // With ten long titles the last lines are left out.
  size_t characters = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    characters += CharactersIn(lines[i]) + 1;
    if (characters > kAlertTextCharactersMax) {
      lines.resize(i);
      break;
    }
  }
  return lines;
}

}  // namespace viewcount
