// The words, numbers and dates of a report, in the languages that it can have.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/report.h"
#include "client/cli/report_options.h"

namespace viewcount::cli {

// The texts of one language. Constants of the program.
struct ReportWords {
  // The language as HTML has it.
  std::string_view language;
  std::string_view heading;
  std::string_view site;
  std::string_view period;
  std::string_view time_zone;
  std::string_view as_of;
  std::string_view number;
  std::string_view views;
  std::string_view visits;
  // Viewers are an estimate.
  std::string_view viewers;
  // The window of the report, and the window before.
  std::string_view now;
  std::string_view before;
  std::string_view change;
  std::string_view by_day;
  std::string_view by_hour;
  std::string_view time;
  std::string_view articles;
  std::string_view rank;
  std::string_view rank_before;
  std::string_view title;
  std::string_view section;
  std::string_view share;
  std::string_view sections;
  std::string_view author;
  std::string_view authors;
  std::string_view no_section;
  std::string_view no_author;
  std::string_view no_articles;
};

// Thread-safe.
const ReportWords& WordsOf(ReportLanguage language);

// Formats what a report contains. Pure functions; thread-safe.
class ReportFormatter {
 public:
  // The report must outlive it.
  ReportFormatter(const Report& report, ReportLanguage language)
      : report_(report), language_(language), words_(WordsOf(language)) {}

  const ReportWords& words() const { return words_; }
  std::string Number(uint64_t number) const;
  // Returns a part of the window's views in percent. A dash if there are no views.
  std::string Share(uint64_t views) const;
  // Returns the views of the window before, or a dash.
  std::string Before(const ReportNumber& number) const;
  // Returns the difference to the window before in percent, with its sign, or a dash.
  std::string Change(const ReportNumber& number) const;
  std::string Rank(uint32_t rank) const;
  // Returns the first moment of a point: its day, or its time of day.
  std::string Point(absl::Time start) const;
  // Returns the days or moments of a span. The last day is a part of it.
  std::string Span(const ReportSpan& span) const;
  std::string Moment(absl::Time time) const;
  std::string Day(absl::Time time) const;

  // Returns sentences that say how far the numbers can be relied on, and what is missing.
  std::vector<std::string> Notes() const;

 private:
  bool vietnamese() const { return language_ == ReportLanguage::kVietnamese; }
  // Chooses one of two texts by the language.
  std::string_view Choose(std::string_view english, std::string_view vietnamese_text) const {
    return vietnamese() ? vietnamese_text : english;
  }
  std::string Percent(double percent, bool with_sign) const;
  void AddVisitorNotes(std::vector<std::string>& notes) const;
  void AddBeforeNotes(std::vector<std::string>& notes) const;

  const Report& report_;
  const ReportLanguage language_;
  const ReportWords& words_;
};

}  // namespace viewcount::cli
