#include "client/cli/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/cli/import_error.h"
#include "service/base/hash.h"

namespace viewcount::cli {
namespace {

// The number of lines between two calls of on_progress while lines are only skipped.
constexpr uint64_t kProgressLines = 16'384;

AccessLogLine Parse(const LogLine& line, const ViewerSalt& salt) {
  if (!line.too_long) return ParseAccessLogLine(line.text, salt);
  AccessLogLine bad;
  bad.problem = "longer than 65,536 bytes";
  return bad;
}

}  // namespace

std::string ImportWriterId(std::string_view site, std::string_view head) {
  // The site's hash is the seed. A joined text of site and head could be split in two ways, so two inputs could share a
  // hash.
  const auto hash = XXH3_128bits_withSeed(head.data(), head.size(), Hash64(site));
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  return {reinterpret_cast<const char*>(bytes.digest), sizeof(bytes.digest)};
}

Importer::Importer(ImporterOptions options) : options_(std::move(options)) {}

absl::Status Importer::Import(LineReader& reader, std::string_view name) {
  acknowledged_line_ = 0;
  const auto head = reader.Head();
  if (!head.ok()) return head.status();
  ImportBatch batch(options_.site, ImportWriterId(options_.site, *head));
  const ViewerSalt salt = SaltOfLog(options_.site, *head);
  LogLine line;
  for (;;) {
    const auto more = reader.Next(line);
    if (!more.ok()) return more.status();
    if (!*more) break;
    if (line.number % kProgressLines == 0 && options_.on_progress) options_.on_progress(counts_, reader.source());
    if (line.number <= acknowledged_line_) {
      ++counts_.lines;
      ++counts_.imported_before_lines;
      continue;
    }
    const auto parsed = Parse(line, salt);
    if (line.unfinished && parsed.kind == LineKind::kBad) {
      // The web server may be writing this line at this moment. The line is not acknowledged, so the next import counts
      // it.
      ++counts_.lines;
      Report({line.number, fmt::format("unfinished last line: {}", parsed.problem), SafeExcerpt(line.text)});
      ++counts_.bad_lines;
      break;
    }
    batch.Add(line.number, parsed, line.text);
    if (!batch.full()) continue;
    if (auto status = Deliver(batch, name); !status.ok()) return status;
    if (options_.on_progress) options_.on_progress(counts_, reader.source());
  }
  if (auto status = Deliver(batch, name); !status.ok()) return status;
  if (const auto& damage = reader.source().damage(); !damage.empty()) {
    Report({0, damage, ""});
    ++counts_.bad_lines;
  }
  return absl::OkStatus();
}

absl::Status Importer::Deliver(ImportBatch& batch, std::string_view name) {
  while (!batch.empty()) {
    const auto result = options_.send(batch.Serialise());
    if (!result.status.ok()) return ImportError(result, {acknowledged_line_, batch.first(), batch.last(), name});
    const uint64_t last = result.response.last_sequence();
    if (!result.response.duplicate()) {
      acknowledged_line_ = batch.last();
      Count(batch);
      return batch.Clear(), absl::OkStatus();
    }
    if (last < batch.first()) {
      return absl::InternalError(fmt::format("the service calls lines {} to {} of {} a repeat, but its last is {}",
                                             batch.first(), batch.last(), name, last));
    }
    acknowledged_line_ = std::max(acknowledged_line_, last);
    if (result.outcome_unknown && last == batch.last()) {
      // An earlier attempt of this batch counted it, but the answer was lost.
      Count(batch);
      return batch.Clear(), absl::OkStatus();
    }
    const uint64_t before = std::min(last, batch.last()) - batch.first() + 1;
    counts_.lines += before;
    counts_.imported_before_lines += before;
    batch.DropThrough(last);
  }
  return absl::OkStatus();
}

void Importer::Count(const ImportBatch& batch) {
  const auto views = static_cast<uint64_t>(batch.views().size());
  counts_.lines += batch.lines();
  counts_.views += views;
  counts_.bad_lines += batch.bad_lines().size();
  counts_.other_lines += batch.lines() - views - batch.bad_lines().size();
  for (const auto& view : batch.views()) articles_.insert(Hash64(view.article_id()));
  for (const auto& bad : batch.bad_lines()) Report(bad);
}

void Importer::Report(const BadLine& bad) const {
  if (options_.on_bad_line) options_.on_bad_line(bad);
}

}  // namespace viewcount::cli
