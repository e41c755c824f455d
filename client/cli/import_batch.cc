#include "client/cli/import_batch.h"

#include <algorithm>

#include "client/cli/log_identity.h"
#include "service/base/check.h"
#include "service/base/limits.h"

namespace viewcount::cli {
namespace {

constexpr size_t kViewBytesMax = 1 << 20;
// The largest size of a view's fields without its article ID, including their tags and lengths.
constexpr size_t kViewFieldsBytes = 48;

// The entries of one line with very many views.
constexpr size_t kLineEntriesMax = kLineViewsMax / limits::kViewCountMax;
// Another line still fits below this number of entries.
constexpr size_t kEntriesFull = limits::kBatchViewsMax - kLineEntriesMax;

static_assert(kLineViewsMax % limits::kViewCountMax == 0);
static_assert(kBatchLinesMax <= kEntriesFull);
static_assert(kViewBytesMax + kLineEntriesMax * (kViewFieldsBytes + limits::kArticleIdBytesMax) + 1'024 <=
              limits::kRequestBytesMax);

}  // namespace

ImportBatch::ImportBatch(std::string_view site) {
  request_.set_site(std::string(site));
  request_.set_import(true);
}

void ImportBatch::Begin(std::string_view writer_id, uint64_t sequence) {
  Clear();
  request_.set_writer_id(std::string(writer_id));
  sequence_before_ = sequence;
}

void ImportBatch::Add(uint64_t number, uint64_t sequence, const AccessLogLine& line, std::string_view text) {
  VIEWCOUNT_CHECK(empty() || number == last() + 1);
  VIEWCOUNT_CHECK(sequence > (empty() ? sequence_before_ : last_sequence()));
  if (empty()) first_ = number;
  lines_.push_back({.kind = line.kind, .sequence = sequence});
  if (line.kind == LineKind::kBad) {
    bad_lines_.push_back({number, line.problem, SafeExcerpt(text)});
  } else if (IsView(line.kind)) {
    AddViews(line);
  }
}

void ImportBatch::AddViews(const AccessLogLine& line) {
  VIEWCOUNT_CHECK(line.count > 0 && line.count <= kLineViewsMax);
  lines_.back().views = line.count;
  for (uint64_t left = line.count; left > 0; ++lines_.back().entries) {
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(left, limits::kViewCountMax));
    auto* view = request_.add_views();
    view->set_article_id(line.article_id);
    // A single view has no count, so that the bytes of an access log's batches are those of earlier versions.
    if (count > 1) view->set_count(count);
    view->set_viewer(line.viewer);
    view->set_event_time_unix_ms(line.event_time_unix_ms);
    view->set_bot(line.kind == LineKind::kBotView);
    view_bytes_ += kViewFieldsBytes + line.article_id.size();
    left -= count;
  }
}

uint64_t ImportBatch::DropThrough(uint64_t sequence) {
  const auto found =
      std::find_if(lines_.begin(), lines_.end(), [&](const Line& line) { return line.sequence == sequence; });
  if (found == lines_.end()) return 0;
  const auto dropped = static_cast<size_t>(found - lines_.begin()) + 1;
  Drop(dropped);
  return dropped;
}

void ImportBatch::DropLast() {
  VIEWCOUNT_CHECK(!empty() && lines_.back().entries == 0);
  if (!bad_lines_.empty() && bad_lines_.back().number == last()) bad_lines_.pop_back();
  lines_.pop_back();
}

void ImportBatch::Drop(size_t lines) {
  if (lines == 0) return;
  const auto cut = lines_.begin() + static_cast<ptrdiff_t>(lines);
  int views = 0;
  for (auto line = lines_.begin(); line != cut; ++line) views += line->entries;
  for (int i = 0; i < views; ++i) view_bytes_ -= kViewFieldsBytes + request_.views(i).article_id().size();
  request_.mutable_views()->DeleteSubrange(0, views);
  sequence_before_ = (cut - 1)->sequence;
  lines_.erase(lines_.begin(), cut);
  first_ += lines;
  std::erase_if(bad_lines_, [&](const BadLine& bad) { return bad.number < first_; });
}

bool ImportBatch::full() const {
  return lines_.size() >= kBatchLinesMax || view_bytes_ >= kViewBytesMax ||
         static_cast<size_t>(request_.views_size()) >= kEntriesFull;
}

bool ImportBatch::useless() const {
  return std::all_of(lines_.begin(), lines_.end(), [](const Line& line) {
    return line.kind == LineKind::kBad || line.kind == LineKind::kBlank || line.kind == LineKind::kOtherHost;
  });
}

std::string ImportBatch::Serialise() {
  VIEWCOUNT_CHECK(!empty());
  request_.set_sequence(sequence_before_ + 1);
  request_.set_sequence_span(static_cast<uint32_t>(last_sequence() - sequence_before_));
  return request_.SerializeAsString();
}

}  // namespace viewcount::cli
