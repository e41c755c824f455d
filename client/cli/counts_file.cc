#include "client/cli/counts_file.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "client/cli/counts_day.h"
#include "client/cli/counts_json.h"
#include "service/adjustments/transfer_limits.h"
#include "service/base/little_endian.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

absl::Status InLine(uint64_t line, std::string_view problem) {
  return absl::InvalidArgumentError(fmt::format("line {}, {}", line, problem));
}

absl::Status CutOff(std::string_view problem) {
  return absl::FailedPreconditionError(fmt::format("the snapshot is not whole: {}; export it again", problem));
}

}  // namespace

CountsFile::CountsFile(std::unique_ptr<ByteSource> source, CountsOptions options)
    : reader_(std::move(source)), options_(options) {
  XXH3_128bits_reset(&hash_);
}

absl::StatusOr<std::optional<CountsItem>> CountsFile::Next() {
  LogLine line;
  while (true) {
    const auto more = reader_.Next(line);
    if (!more.ok()) return more.status();
    if (!*more) break;
    line_ = line.number;
    if (line.too_long) return InLine(line_, fmt::format("column {}: the line is too long", kLineBytesMax + 1));
    std::string_view text = line.text;
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.find_first_not_of(" \t") == std::string_view::npos) continue;
    if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
      return InLine(line_, fmt::format("column {}: it is not text", zero + 1));
    }
    if (!IsUtf8(text)) return InLine(line_, "column 1: it is not UTF-8");
    auto item = Parse(text);
    if (!item.ok()) return InLine(line_, ToStd(item.status().message()));
    if (!item->has_value()) continue;
    if (const auto* row = std::get_if<v1::CountRow>(&**item)) {
      if (auto status = CheckRow(*row); !status.ok()) return InLine(line_, ToStd(status.message()));
    }
    if (auto status = Count(**item); !status.ok()) return status;
    return item;
  }
  if (!reader_.source().damage().empty()) {
    return absl::FailedPreconditionError(fmt::format("the compressed file is {}", reader_.source().damage()));
  }
  if (auto status = CheckEnd(); !status.ok()) return status;
  return std::nullopt;
}

absl::StatusOr<std::optional<CountsItem>> CountsFile::Parse(std::string_view text) {
  if (format_ == Format::kUnknown) return ParseFirst(text);
  if (format_ == Format::kCsv) {
    auto row = columns_->RowOf(text, options_);
    if (!row.ok()) return row.status();
    return CountsItem(*std::move(row));
  }
  auto item = ParseCountsLine(text, options_);
  if (!item.ok()) return item.status();
  return *std::move(item);
}

absl::StatusOr<std::optional<CountsItem>> CountsFile::ParseFirst(std::string_view text) {
  if (text.find_first_not_of(" \t") == text.find('{')) {
    format_ = Format::kJson;
    auto item = ParseCountsLine(text, options_);
    if (!item.ok()) return item.status();
    return *std::move(item);
  }
  auto columns = CountsColumns::Parse(text);
  if (!columns.ok()) return columns.status();
  if (!columns->has_day() && options_.day == 0 && !options_.all_time) {
    return absl::InvalidArgumentError("there is no column day; say --all-time, or --day for rows of one day");
  }
  format_ = Format::kCsv;
  columns_ = *std::move(columns);
  return std::nullopt;
}

absl::Status CountsFile::Count(const CountsItem& item) {
  if (ended_) return CutOff(fmt::format("line {} follows its last line", line_));
  const bool of_snapshot = !std::holds_alternative<v1::CountRow>(item);
  if (const auto* head = std::get_if<SnapshotHead>(&item)) {
    if (head_ || totals_ != SnapshotEnd()) return CutOff(fmt::format("line {} begins another one", line_));
    head_ = *head;
    if (options_.day != 0 || options_.all_time) {
      return absl::FailedPreconditionError("a snapshot has days of its own; leave out --day and --all-time");
    }
    return absl::OkStatus();
  }
  if (of_snapshot && !head_) {
    return absl::FailedPreconditionError(
        fmt::format("line {} is of a snapshot, but the file does not begin as one", line_));
  }
  if (const auto* row = std::get_if<v1::CountRow>(&item)) {
    return CountRow(*row);
  } else if (std::holds_alternative<SnapshotAlias>(item)) {
    ++totals_.aliases;
  } else if (std::holds_alternative<v1::Article>(item)) {
    ++totals_.announced;
  } else if (const auto& end = std::get<SnapshotEnd>(item); end != totals_) {
    return CutOff(
        fmt::format("its last line counts {} rows with {} views, {} aliases and {} announcements, but there "
                    "are {} with {}, {} and {}",
                    end.rows, end.views, end.aliases, end.announced, totals_.rows, totals_.views, totals_.aliases,
                    totals_.announced));
  } else {
    ended_ = true;
  }
  return absl::OkStatus();
}

absl::Status CountsFile::CheckRow(const v1::CountRow& row) const {
  const bool of_site = row.article_id().empty();
  const size_t most = of_site ? kSnapshotRowCountsMax : kImportCountsMax;
  if (static_cast<size_t>(row.counts_size()) > most) {
    return absl::InvalidArgumentError(fmt::format("column 1: it has {} counts; a row {}may have {}", row.counts_size(),
                                                  of_site ? "of the site " : "", most));
  }
  for (const auto& count : row.counts()) {
    const bool hour = count.kind() == v1::COUNT_KIND_HOUR;
    const uint32_t last = hour ? options_.last_hour : options_.last_day;
    // Counts without a day have the number 0.
    if (last == 0 || count.number() <= last) continue;
    return absl::InvalidArgumentError(
        hour ? fmt::format("hours: {} is an hour of the future", CountsHourText(count.number()))
             : fmt::format("day: {} is a day of the future", CountsDayText(count.number())));
  }
  return absl::OkStatus();
}

absl::Status CountsFile::AddToSums(const v1::CountRow& row) {
  for (const auto& count : row.counts()) {
    int64_t& sum = sums_[count.kind()];
    // Neither number is beyond 2^52 in size.
    if (std::abs(count.views()) > kImportSumMax - sum) {
      return absl::FailedPreconditionError(
          fmt::format("up to line {}, the rows have more than 2^52 views together", line_));
    }
    sum += std::abs(count.views());
  }
  return absl::OkStatus();
}

absl::Status CountsFile::CountRow(const v1::CountRow& row) {
  if (auto status = AddToSums(row); !status.ok()) return status;
  ++totals_.rows;
  const auto add = [this](auto number) {
    char bytes[sizeof(number)];
    little_endian::Store(bytes, number);
    XXH3_128bits_update(&hash_, bytes, sizeof(bytes));
  };
  add(static_cast<uint32_t>(row.article_id().size()));
  XXH3_128bits_update(&hash_, row.article_id().data(), row.article_id().size());
  add(static_cast<uint32_t>(row.counts_size()));
  for (const auto& count : row.counts()) {
    add(static_cast<uint32_t>(count.kind()));
    add(count.number());
    add(static_cast<uint64_t>(count.views()));
    if (count.kind() == v1::COUNT_KIND_ALL_TIME) totals_.views += count.views();
  }
  return absl::OkStatus();
}

absl::Status CountsFile::CheckEnd() const {
  if (head_ && !ended_) {
    return CutOff(fmt::format("it ends after line {} without its last line", line_));
  }
  if (line_ == 0 || format_ == Format::kUnknown) return absl::FailedPreconditionError("the file is empty");
  return absl::OkStatus();
}

absl::Status CountsFile::Rewind() {
  if (auto status = reader_.Rewind(); !status.ok()) return status;
  format_ = Format::kUnknown;
  columns_.reset();
  head_.reset();
  ended_ = false;
  line_ = 0;
  totals_ = {};
  sums_.clear();
  XXH3_128bits_reset(&hash_);
  return absl::OkStatus();
}

std::string CountsFile::rows_hash() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&hash_));
  return {reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)};
}

}  // namespace viewcount::cli
