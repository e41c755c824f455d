#include "client/cli/import_batch.h"

#include <algorithm>

#include "service/base/check.h"
#include "service/base/limits.h"

namespace viewcount::cli {
namespace {

// A batch is large enough that the cost of a call is small compared with its views. It is small enough that the
// progress display moves visibly.
constexpr size_t kViewsMax = 5'000;
constexpr size_t kViewBytesMax = 1 << 20;
constexpr size_t kLinesMax = 50'000;
// The largest size of a view's fields without its article ID, including their tags and lengths.
constexpr size_t kViewFieldsBytes = 48;

static_assert(kViewsMax <= limits::kBatchViewsMax);
static_assert(kViewBytesMax + limits::kArticleIdBytesMax + 1'024 <= limits::kRequestBytesMax);
static_assert(kLinesMax <= limits::kSequenceSpanMax);

}  // namespace

ImportBatch::ImportBatch(std::string_view site, std::string_view writer_id) {
  request_.set_site(std::string(site));
  request_.set_writer_id(std::string(writer_id));
  request_.set_import(true);
}

void ImportBatch::Add(uint64_t number, const AccessLogLine& line, std::string_view text) {
  VIEWCOUNT_CHECK(empty() || number == last() + 1);
  if (empty()) first_ = number;
  kinds_.push_back(line.kind);
  if (line.kind == LineKind::kBad) {
    bad_lines_.push_back({number, std::string(line.problem), SafeExcerpt(text)});
  } else if (line.kind == LineKind::kPageView) {
    auto* view = request_.add_views();
    view->set_article_id(std::string(line.article_id));
    view->set_viewer(line.viewer);
    view->set_event_time_unix_ms(line.event_time_unix_ms);
    view_bytes_ += kViewFieldsBytes + line.article_id.size();
  }
}

void ImportBatch::DropThrough(uint64_t number) {
  if (empty() || number < first_) return;
  if (number >= last()) {
    Clear();
    return;
  }
  const auto cut = kinds_.begin() + static_cast<ptrdiff_t>(number - first_ + 1);
  const auto dropped_views = std::count(kinds_.begin(), cut, LineKind::kPageView);
  request_.mutable_views()->DeleteSubrange(0, static_cast<int>(dropped_views));
  kinds_.erase(kinds_.begin(), cut);
  std::erase_if(bad_lines_, [&](const BadLine& bad) { return bad.number <= number; });
  first_ = number + 1;
}

void ImportBatch::Clear() {
  request_.clear_views();
  kinds_.clear();
  bad_lines_.clear();
  view_bytes_ = 0;
}

bool ImportBatch::full() const {
  return views().size() >= static_cast<int>(kViewsMax) || view_bytes_ >= kViewBytesMax || kinds_.size() >= kLinesMax;
}

std::string ImportBatch::Serialise() {
  VIEWCOUNT_CHECK(!empty());
  request_.set_sequence(first_);
  request_.set_sequence_span(static_cast<uint32_t>(kinds_.size()));
  return request_.SerializeAsString();
}

}  // namespace viewcount::cli
