// W3C extended log files, as IIS and CloudFront write them.
#include <algorithm>
#include <string>
#include <vector>

#include "client/cli/log_formats.h"
#include "client/cli/log_text.h"
#include "client/cli/log_time.h"

namespace viewcount::cli {
namespace {

constexpr size_t kNoColumn = static_cast<size_t>(-1);
// A line with more columns than this has its last columns ignored. CloudFront has 33.
constexpr size_t kColumnsMax = 256;

// The positions of the columns that are used.
struct Columns {
  size_t date = kNoColumn, time = kNoColumn, method = kNoColumn, stem = kNoColumn, query = kNoColumn;
  size_t status = kNoColumn, client = kNoColumn, agent = kNoColumn, host = kNoColumn, named_client = kNoColumn;
  size_t count = 0;
};

bool IsNone(std::string_view column) { return column.empty() || column == "-"; }

// Appends the path that IIS logs decoded, so that its characters cannot be taken for a query or an escape. A percent
// sign before two hexadecimal digits stays an escape, because some servers log the path as it was requested.
void AppendStem(std::string_view stem, bool plus_is_blank, std::string& target) {
  for (size_t at = 0; at < stem.size(); ++at) {
    const char c = stem[at];
    if (c == '+' && plus_is_blank) {
      target += "%20";
    } else if (c == '?') {
      target += "%3F";
    } else if (c == '#') {
      target += "%23";
    } else if (c == '%' && (at + 2 >= stem.size() || HexDigit(stem[at + 1]) < 0 || HexDigit(stem[at + 2]) < 0)) {
      target += "%25";
    } else {
      target += c;
    }
  }
}

class W3cFormat : public AccessLogFormat {
 public:
  W3cFormat(W3cKind kind, std::string_view client_field) : kind_(kind), client_field_(client_field) {}

  std::string_view name() const override { return kind_ == W3cKind::kIis ? "iis" : "cloudfront"; }

  void Comment(std::string_view line) override {
    constexpr std::string_view kFields = "#Fields:", kDate = "#Date:";
    if (line.substr(0, kFields.size()) == kFields) {
      ReadFields(line.substr(kFields.size()));
    } else if (line.substr(0, kDate.size()) == kDate) {
      date_ = Trim(line.substr(kDate.size())).substr(0, 10);
    }
  }

  std::string_view Parse(std::string_view line, LogRequest& request) override {
    if (columns_.count == 0) return "no line with #Fields comes before it";
    if (!problem_.empty()) return problem_;
    Divide(line);
    if (values_.size() < columns_.count) return "fewer columns than its #Fields line has";
    const auto at = Time();
    if (!at) return "its time is impossible";
    request.time_unix_ms = *at;
    request.status = StatusOf(Value(columns_.status));
    // CloudFront writes 000 if the viewer left before the answer.
    if (request.status == 0 && Value(columns_.status) != "000" && !IsNone(Value(columns_.status))) {
      return "no status of three digits";
    }
    request.method = Value(columns_.method);
    AppendStem(Value(columns_.stem), kind_ == W3cKind::kIis, request.target);
    if (const auto query = Value(columns_.query); !IsNone(query)) request.target.append("?").append(query);
    request.client = Value(columns_.client);
    if (const auto named = Value(columns_.named_client); !IsNone(named)) Decode(named, request.named_client);
    if (const auto host = Value(columns_.host); !IsNone(host)) request.host = host;
    if (const auto agent = Value(columns_.agent); !IsNone(agent)) Decode(agent, request.agent);
    return {};
  }

 private:
  char separator() const { return kind_ == W3cKind::kIis ? ' ' : '\t'; }

  std::string_view Value(size_t column) const { return column < values_.size() ? values_[column] : std::string_view(); }

  void Divide(std::string_view line) {
    values_.clear();
    while (!line.empty() && values_.size() < kColumnsMax) values_.push_back(TakeUntil(line, separator()));
  }

  // Removes the encoding of a column with free text.
  void Decode(std::string_view value, std::string& to) {
    if (kind_ == W3cKind::kIis) {
      to = value;
      std::replace(to.begin(), to.end(), '+', ' ');
      return;
    }
    DecodePercent(value, to);
    // CloudFront encodes some characters of agents twice, so %2520 is a blank.
    if (to.find('%') == to.npos) return;
    once_decoded_.swap(to);
    DecodePercent(once_decoded_, to);
  }

  std::optional<int64_t> Time() {
    const auto date = columns_.date == kNoColumn ? std::string_view(date_) : Value(columns_.date);
    moment_.assign(date).append(" ").append(Value(columns_.time));
    return ParseIsoTime(moment_);
  }

  bool IsClientField(std::string_view column) const {
    if (client_field_.empty()) return false;
    if (EqualsIgnoringCase(column, client_field_)) return true;
    return column.size() == client_field_.size() + 4 && column.back() == ')' &&
           EqualsIgnoringCase(column.substr(0, 3), "cs(") &&
           EqualsIgnoringCase(column.substr(3, client_field_.size()), client_field_);
  }

  void ReadFields(std::string_view names) {
    columns_ = Columns();
    names = Trim(names);
    while (!names.empty() && columns_.count < kColumnsMax) {
      const size_t end = std::min(names.find_first_of(" \t"), names.size());
      ReadField(names.substr(0, end), columns_.count++);
      names = Trim(names.substr(end));
    }
    problem_.clear();
    if (columns_.time == kNoColumn || (columns_.date == kNoColumn && date_.empty())) {
      problem_ = "its #Fields line has no date and time";
    } else if (columns_.stem == kNoColumn || columns_.method == kNoColumn || columns_.status == kNoColumn) {
      problem_ = "its #Fields line lacks cs-method, cs-uri-stem or sc-status";
    } else if (!client_field_.empty() && columns_.named_client == kNoColumn) {
      problem_ = "its #Fields line lacks the column of --client-field";
    }
  }

  void ReadField(std::string_view name, size_t column) {
    const auto is = [&](std::string_view wanted) { return EqualsIgnoringCase(name, wanted); };
    if (is("date")) columns_.date = column;
    if (is("time")) columns_.time = column;
    if (is("cs-method")) columns_.method = column;
    if (is("cs-uri-stem")) columns_.stem = column;
    if (is("cs-uri-query")) columns_.query = column;
    if (is("sc-status")) columns_.status = column;
    if (is("c-ip")) columns_.client = column;
    if (is("cs(User-Agent)")) columns_.agent = column;
    // CloudFront's cs(Host) is the name of the distribution. The name that the viewer asked for is in x-host-header.
    if (is("x-host-header")) columns_.host = column;
    if ((is("cs-host") || is("cs(Host)")) && columns_.host == kNoColumn) columns_.host = column;
    if (IsClientField(name)) columns_.named_client = column;
  }

  const W3cKind kind_;
  const std::string client_field_;
  Columns columns_;
  // The date of the last #Date line. IIS writes it where the columns have no date.
  std::string date_;
  // The problem that every line has because of the #Fields line, or empty.
  std::string problem_;
  // Memory that is used again for each line.
  std::vector<std::string_view> values_;
  std::string moment_;
  std::string once_decoded_;
};

}  // namespace

std::unique_ptr<AccessLogFormat> MakeW3cFormat(W3cKind kind, std::string_view client_field) {
  return std::make_unique<W3cFormat>(kind, client_field);
}

}  // namespace viewcount::cli
