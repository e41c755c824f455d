#include "client/cpp/view_batch.h"

#include <functional>

#include "service/base/limits.h"

namespace viewcount::client {
namespace {

// The memory of a map's node and bucket, in addition to the entry.
constexpr size_t kIndexBytes = 64;
// The largest size of a view's fields without its article ID, including their tags and lengths.
constexpr size_t kViewFieldsBytes = 48;
// The largest size of a request's fields without its views.
constexpr size_t kRequestFieldsBytes = 1'024;

size_t MemoryOf(const View& view) { return sizeof(View) + kIndexBytes + view.article_id.size(); }
size_t RequestBytesOf(const View& view) { return kViewFieldsBytes + view.article_id.size(); }

}  // namespace

size_t ViewBatch::KeyHash::operator()(const Key& key) const {
  // The multiplication by odd constants spreads the numbers over the whole word. The hash of the article ID needs no
  // such step.
  return std::hash<std::string_view>()(key.article_id) ^ key.viewer * 0x9E3779B97F4A7C15U ^
         static_cast<uint64_t>(key.second) * 0xC2B2AE3D27D4EB4FU ^ static_cast<uint64_t>(key.bot);
}

ViewBatch::Key ViewBatch::KeyOf(const View& view) {
  return {view.article_id, view.viewer, view.event_time_unix_ms / 1'000, view.bot};
}

View* ViewBatch::EqualOf(const View& view) const {
  const auto found = index_.find(KeyOf(view));
  if (found == index_.end() || uint64_t{found->second->count} + view.count > limits::kViewCountMax) return nullptr;
  return found->second;
}

void ViewBatch::Add(const View& view) {
  views_ += view.count;
  if (View* equal = EqualOf(view)) {
    equal->count += view.count;
    return;
  }
  View& entry = entries_.emplace_back(view);
  // If an equal entry exists, its count is full. The new entry replaces it in the map because it has room. The map's
  // key still points into the earlier entry.
  index_.insert_or_assign(KeyOf(entry), &entry);
  bytes_ += MemoryOf(view);
  request_bytes_ += RequestBytesOf(view);
}

size_t ViewBatch::CostOf(const View& view) const { return EqualOf(view) != nullptr ? 0 : MemoryOf(view); }

bool ViewBatch::HasRoomFor(const View& view, size_t entries_max) const {
  return EqualOf(view) != nullptr ||
         (entries_.size() < entries_max &&
          kRequestFieldsBytes + request_bytes_ + RequestBytesOf(view) <= limits::kRequestBytesMax);
}

void ViewBatch::AppendTo(v1::RecordViewsRequest& request) const {
  for (const View& entry : entries_) {
    auto* view = request.add_views();
    view->set_article_id(entry.article_id);
    view->set_count(entry.count);
    view->set_viewer(entry.viewer);
    view->set_event_time_unix_ms(entry.event_time_unix_ms);
    view->set_bot(entry.bot);
  }
}

}  // namespace viewcount::client
