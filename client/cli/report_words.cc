#include "client/cli/report_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/cli/site_days.h"
#include "service/web/digit_grouping.h"

namespace viewcount::cli {
namespace {

constexpr char kDash[] = "–";

constexpr ReportWords kEnglishWords = {
    .language = "en",
    .heading = "Page views",
    .site = "Site",
    .period = "Period",
    .time_zone = "Time zone",
    .as_of = "As of",
    .number = "Number",
    .views = "Views",
    .visits = "Visits",
    .viewers = "Viewers (estimate)",
    .now = "This period",
    .before = "Before",
    .change = "Change",
    .by_day = "Views by day",
    .by_hour = "Views by hour",
    .time = "From",
    .articles = "Most viewed articles",
    .rank = "Rank",
    .rank_before = "Rank before",
    .title = "Article",
    .section = "Section",
    .share = "Share",
    .sections = "Sections",
    .author = "Author",
    .authors = "Authors",
    .no_section = "(no section)",
    .no_author = "(no author)",
    .no_articles = "No article was viewed.",
};

constexpr ReportWords kVietnameseWords = {
    .language = "vi",
    .heading = "Báo cáo lượt xem",
    .site = "Trang",
    .period = "Kỳ báo cáo",
    .time_zone = "Múi giờ",
    .as_of = "Số liệu tính đến",
    .number = "Chỉ số",
    .views = "Lượt xem",
    .visits = "Lượt truy cập",
    .viewers = "Người xem (ước tính)",
    .now = "Kỳ này",
    .before = "Kỳ trước",
    .change = "Thay đổi",
    .by_day = "Lượt xem theo ngày",
    .by_hour = "Lượt xem theo giờ",
    .time = "Từ",
    .articles = "Bài được xem nhiều nhất",
    .rank = "Hạng",
    .rank_before = "Hạng kỳ trước",
    .title = "Bài viết",
    .section = "Chuyên mục",
    .share = "Tỷ lệ",
    .sections = "Chuyên mục",
    .author = "Tác giả",
    .authors = "Tác giả",
    .no_section = "(không có chuyên mục)",
    .no_author = "(không ghi tác giả)",
    .no_articles = "Không có bài nào được xem.",
};

}  // namespace

const ReportWords& WordsOf(ReportLanguage language) {
  return language == ReportLanguage::kVietnamese ? kVietnameseWords : kEnglishWords;
}

std::string ReportFormatter::Number(uint64_t number) const {
  return Grouped(number, DigitGroupingOf(words_.language).value_or(DigitGrouping()));
}

std::string ReportFormatter::Percent(double percent, bool with_sign) const {
  std::string text = with_sign ? fmt::format("{:+.1f}", percent) : fmt::format("{:.1f}", percent);
  if (vietnamese()) std::ranges::replace(text, '.', ',');
  return text.append(Choose("%", " %"));
}

std::string ReportFormatter::Share(uint64_t views) const {
  if (report_.views.now == 0) return kDash;
  return Percent(static_cast<double>(views) * 100 / static_cast<double>(report_.views.now), false);
}

std::string ReportFormatter::Before(const ReportNumber& number) const {
  return number.before ? Number(*number.before) : kDash;
}

std::string ReportFormatter::Change(const ReportNumber& number) const {
  if (number.before.value_or(0) == 0) return kDash;
  const auto before = static_cast<double>(*number.before);
  return Percent((static_cast<double>(number.now) - before) * 100 / before, true);
}

std::string ReportFormatter::Rank(uint32_t rank) const { return rank == 0 ? kDash : Number(rank); }

std::string ReportFormatter::Day(absl::Time time) const {
  // The day may have begun in an earlier time zone of the site, where it had another name.
  const absl::Time noon = absl::FromCivil(absl::CivilHour(DayOf(time, report_.days)) + 12, absl::UTCTimeZone());
  return absl::FormatTime(vietnamese() ? "%d/%m/%Y" : "%Y-%m-%d", noon, absl::UTCTimeZone());
}

std::string ReportFormatter::Moment(absl::Time time) const {
  return absl::FormatTime(vietnamese() ? "%H:%M %d/%m/%Y (UTC%Ez)" : "%Y-%m-%d %H:%M (UTC%Ez)", time, report_.zone);
}

std::string ReportFormatter::Point(absl::Time start) const {
  if (!report_.by_hour) return Day(start);
  // A window of one day needs no day at each hour.
  const bool short_span = report_.span.end - report_.span.start < absl::Hours(26);
  const std::string time = absl::FormatTime("%H:%M", start, report_.zone);
  return short_span ? time : fmt::format("{} {}", Day(start), time);
}

std::string ReportFormatter::Span(const ReportSpan& span) const {
  if (!report_.of_days) return fmt::format("{} – {}", Moment(span.start), Moment(span.end));
  const std::string first = Day(span.start);
  const std::string last = Day(span.end - absl::Seconds(1));
  return first == last ? first : fmt::format("{} – {}", first, last);
}

void ReportFormatter::AddVisitorNotes(std::vector<std::string>& notes) const {
  if (!report_.viewers) {
    notes.emplace_back(Choose(
        "Visits and viewers are kept for today, yesterday, this week and this month only, so they are not in this "
        "report.",
        "Lượt truy cập và người xem chỉ được lưu cho hôm nay, hôm qua, tuần này và tháng này, nên không có trong báo "
        "cáo."));
    return;
  }
  notes.push_back(fmt::format(
      fmt::runtime(Choose("Viewers are estimated, with a standard error of {}. A viewer of several days counts on each "
                          "of them. Viewers are counted when they are stored. Viewers who are not known belong to "
                          "no visit.",
                          "Số người xem là ước tính, sai số chuẩn {}. Người xem trong nhiều ngày được tính một lần mỗi "
                          "ngày, khi dữ liệu đã được lưu. Lượt xem không rõ người xem không thuộc lượt truy cập nào.")),
      Percent(report_.viewers_error * 100, false)));
}

void ReportFormatter::AddBeforeNotes(std::vector<std::string>& notes) const {
  if (!report_.before_problem.empty()) {
    notes.push_back(fmt::format(
        fmt::runtime(Choose("The period before cannot be read: {}.", "Không đọc được số liệu kỳ trước: {}.")),
        report_.before_problem));
  }
  if (!report_.before) return;
  notes.push_back(fmt::format(
      fmt::runtime(Choose("The period before is {}. A dash marks an article that is not among the most viewed of it.",
                          "Kỳ trước là {}. Dấu gạch ngang chỉ bài không nằm trong danh sách xem nhiều của kỳ đó.")),
      Span(*report_.before)));
  if (report_.unfinished()) {
    notes.emplace_back(Choose("The period is not over, but it is compared with the whole period before.",
                              "Kỳ báo cáo chưa kết thúc, nhưng được so với toàn bộ kỳ trước."));
  }
}

std::vector<std::string> ReportFormatter::Notes() const {
  std::vector<std::string> notes;
  notes.emplace_back(report_.exact ? Choose("All numbers of views are exact.", "Mọi số lượt xem đều chính xác.")
                                   : Choose("The numbers of views are not exact, because the service could not read "
                                            "all of them, or the order of articles changed too often meanwhile.",
                                            "Số lượt xem chưa chính xác, vì dịch vụ không đọc được đầy đủ, hoặc thứ tự "
                                            "các bài thay đổi liên tục trong khi đọc."));
  if (report_.unfinished()) {
    notes.emplace_back(Choose("The period is not over. The numbers are those so far.",
                              "Kỳ báo cáo chưa kết thúc. Đây là số liệu đến thời điểm trên."));
  }
  AddVisitorNotes(notes);
  AddBeforeNotes(notes);
  notes.push_back(
      fmt::format(fmt::runtime(Choose(
                      "Sections and authors are sums over the {} most viewed articles, which have {} of {} views. An "
                      "article counts in its main section, and for each of its authors, as announced.",
                      "Số liệu chuyên mục và tác giả là tổng của {} bài được xem nhiều nhất, chiếm {} trên {} lượt "
                      "xem. Mỗi bài được tính vào chuyên mục chính và cho từng tác giả, theo thông tin đã khai "
                      "báo.")),
                  Number(report_.listed_articles), Number(report_.listed_views), Number(report_.views.now)));
  return notes;
}

}  // namespace viewcount::cli
