#include "service/adjustments/snapshot_export.h"

#include <algorithm>
#include <iterator>

#include "service/adjustments/adjustment_log.h"
#include "service/adjustments/transfer_limits.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr int64_t kWindowHourMs = 3'600'000;

absl::Status LaterBecause(const absl::Status& status) {
  return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
}

bool IsOfVisits(Window window) {
  return window.kind == Window::Kind::kVisits || window.kind == Window::Kind::kVisitDay;
}

v1::CountKind KindOf(Window window) {
  switch (window.kind) {
    case Window::Kind::kAllTime:
      return v1::COUNT_KIND_ALL_TIME;
    case Window::Kind::kBots:
      return v1::COUNT_KIND_BOTS;
    case Window::Kind::kDay:
      return v1::COUNT_KIND_DAY;
    case Window::Kind::kHour:
      return v1::COUNT_KIND_HOUR;
    case Window::Kind::kVisits:
      return v1::COUNT_KIND_VISITS;
    case Window::Kind::kVisitDay:
      return v1::COUNT_KIND_VISIT_DAY;
    case Window::Kind::kViewers:
      break;
  }
  return v1::COUNT_KIND_UNSPECIFIED;
}

}  // namespace

asio::awaitable<absl::StatusOr<std::unique_ptr<SnapshotExporter::Snapshot>>> SnapshotExporter::Begin(
    std::shared_ptr<const Site> site) {
  if (*open_ >= kSnapshotsMax) {
    co_return RetryLater(absl::StatusCode::kResourceExhausted, "too many exports are under way", limits::kRetryDelay);
  }
  ++*open_;
  auto begun = std::unique_ptr<Snapshot>(new Snapshot(*this, std::move(site)));
  const absl::Status flushed = co_await parts_.exporter.Flush();
  if (!flushed.ok()) co_return flushed;
  auto moves = co_await begun->ReadMoves();
  if (!moves.ok()) co_return moves.status();
  begun->moves_ = *std::move(moves);
  auto listed = co_await begun->ListWindows();
  if (!listed.ok()) co_return listed.status();
  begun->listed_.assign(listed->begin(), listed->end());
  begun->windows_ = *std::move(listed);
  co_return begun;
}

SnapshotExporter::Snapshot::Snapshot(const SnapshotExporter& owner, std::shared_ptr<const Site> site)
    : owner_(owner), open_(owner.open_), site_(std::move(site)), generation_(owner.parts_.store.generation()) {
  for (const auto& [from, alias] : site_->alias_entries()) {
    if (!alias.into.empty()) aliases_.emplace_back(from, alias.into);
  }
}

asio::awaitable<absl::StatusOr<std::set<Window>>> SnapshotExporter::Snapshot::ListWindows() const {
  auto listed = co_await owner_.parts_.store.ListWindows(site_->name);
  if (!listed.ok()) co_return LaterBecause(listed.status());
  std::erase_if(*listed, IsOfVisits);
  listed->insert({Window::Kind::kAllTime, 0});
  listed->insert({Window::Kind::kBots, 0});
  co_return listed;
}

void SnapshotExporter::Snapshot::AddPresentWindows() {
  const int64_t now = owner_.parts_.clock.UnixMillis();
  if (present_hour_ == now / kWindowHourMs) return;
  present_hour_ = now / kWindowHourMs;
  // Views may be a day old, and clocks may be ahead. An hour more on both sides is for the time until the next call.
  const int64_t from = now - limits::kEventAgeMax.count() - kWindowHourMs;
  const int64_t to = now + limits::kEventAheadMax.count() + kWindowHourMs;
  SiteCalendar calendar(site_->days);
  for (int64_t at = from; at <= to + kWindowHourMs; at += kWindowHourMs) {
    const auto slot = calendar.SlotOf(std::clamp<int64_t>(at, 0, limits::kEventTimeUnixMsMax));
    windows_.insert({Window::Kind::kHour, slot.hour});
    windows_.insert({Window::Kind::kDay, slot.day});
  }
}

asio::awaitable<absl::StatusOr<bool>> SnapshotExporter::Snapshot::Next(v1::ExportSnapshotResponse& response) {
  response.Clear();
  if (step_ == Step::kEnd) co_return false;
  if (owner_.parts_.exporter.stopped()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay);
  }
  absl::Status status;
  bool done = true;
  if (step_ == Step::kArticles || step_ == Step::kAnnounced) {
    auto added = step_ == Step::kArticles ? AddArticles(response) : AddAnnounced(response);
    const auto ended = co_await std::move(added);
    status = ended.status();
    done = ended.ok() && *ended;
  } else if (step_ == Step::kSite) {
    status = co_await AddSite(response);
  } else if (step_ == Step::kAliases) {
    done = AddAliases(response);
  } else {
    status = co_await AddTotals(response);
  }
  if (owner_.parts_.store.generation() != generation_) {
    co_return RetryLater(absl::StatusCode::kUnavailable, "Redis was connected again meanwhile; begin again",
                         limits::kRetryDelay);
  }
  if (!status.ok()) co_return status;
  if (done) {
    step_ = static_cast<Step>(static_cast<int>(step_) + 1);
    if (step_ == Step::kAnnounced) shard_ = 0;
  }
  co_return true;
}

asio::awaitable<absl::StatusOr<bool>> SnapshotExporter::Snapshot::AddArticles(v1::ExportSnapshotResponse& response) {
  response.set_progress(static_cast<double>(shard_) / limits::kShards);
  while (response.rows_size() == 0) {
    if (owner_.parts_.exporter.stopped()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay);
    }
    if (waiting_.empty()) {
      const auto more = co_await Scan();
      if (!more.ok()) co_return LaterBecause(more.status());
      if (!*more) co_return true;
      continue;
    }
    if (auto status = co_await Read(response); !status.ok()) co_return status;
  }
  co_return false;
}

asio::awaitable<absl::StatusOr<bool>> SnapshotExporter::Snapshot::Scan() {
  if (shard_ == limits::kShards) co_return false;
  auto scan = co_await owner_.parts_.store.ScanArticles(Shard{static_cast<uint8_t>(shard_)}, site_->name, listed_[at_],
                                                        cursor_);
  if (!scan.ok()) co_return scan.status();
  for (std::string& id : scan->ids) {
    if (id.empty() || site_->Resolve(id) != id || !seen_.insert(Hash64(id)).second) continue;
    waiting_.push_back(std::move(id));
  }
  cursor_ = std::move(scan->cursor);
  if (!cursor_.empty() || ++at_ < listed_.size()) co_return true;
  at_ = 0;
  ++shard_;
  seen_.clear();
  co_return true;
}

asio::awaitable<absl::Status> SnapshotExporter::Snapshot::Read(v1::ExportSnapshotResponse& response) {
  AddPresentWindows();
  const std::vector<Window> windows(windows_.begin(), windows_.end());
  const size_t count = std::min(
      {waiting_.size(), limits::kGetCountsArticlesMax, std::max<size_t>(1, limits::kSurveyFieldsMax / windows.size())});
  const std::vector<std::string> ids(std::make_move_iterator(waiting_.end() - static_cast<ptrdiff_t>(count)),
                                     std::make_move_iterator(waiting_.end()));
  waiting_.resize(waiting_.size() - count);
  std::vector<ArticleRef> articles;
  for (const std::string& id : ids) articles.push_back({id, ArticleHash(site_->seed, id)});
  const auto read = co_await owner_.parts_.counts.ReadWindows(*site_, ShardOf(articles[0].hash), windows, articles);
  if (!read.ok()) co_return LaterBecause(read.status());
  for (size_t i = 0; i < ids.size(); ++i) {
    std::map<Window, int64_t> counts;
    for (size_t window = 0; window < windows.size(); ++window) {
      // A count is below 0 only for a moment. Readers show 0.
      if ((*read)[window][i] > 0) counts[windows[window]] = (*read)[window][i];
    }
    AddRows(ids[i], counts, response);
  }
  co_return absl::OkStatus();
}

void SnapshotExporter::Snapshot::AddRows(const std::string& article_id, const std::map<Window, int64_t>& counts,
                                         v1::ExportSnapshotResponse& response) {
  v1::CountRow* row = nullptr;
  for (const auto& [window, views] : counts) {
    if (row == nullptr || static_cast<size_t>(row->counts_size()) == kSnapshotRowCountsMax) {
      row = response.add_rows();
      row->set_article_id(article_id);
      totals_.set_rows(totals_.rows() + 1);
    }
    auto& count = *row->add_counts();
    count.set_kind(KindOf(window));
    count.set_number(window.number);
    count.set_views(views);
    if (window.kind == Window::Kind::kAllTime) totals_.set_views(totals_.views() + views);
  }
}

asio::awaitable<absl::Status> SnapshotExporter::Snapshot::AddSite(v1::ExportSnapshotResponse& response) {
  auto flush = [this] { return owner_.parts_.exporter.Flush(); };
  const auto starts = co_await owner_.parts_.adjuster.ReadStartValues(site_, owner_.parts_.snapshots, flush);
  if (!starts.ok()) co_return starts.status();
  std::map<Window, int64_t> counts = *starts;
  const auto listed = co_await owner_.parts_.store.ListWindows(site_->name);
  if (!listed.ok()) co_return LaterBecause(listed.status());
  // The site has visits only as a whole. Some of them may have begun after the articles were read.
  std::vector<Window> visits;
  AddPresentWindows();
  for (const Window window : *listed) {
    if (IsOfVisits(window)) {
      visits.push_back(window);
    } else if (!windows_.contains(window)) {
      co_return RetryLater(absl::StatusCode::kUnavailable,
                           "views of other days or hours were imported during the export; begin again",
                           limits::kRetryDelay);
    }
  }
  for (size_t from = 0; from < visits.size(); from += kTotalsStep) {
    const size_t to = std::min(from + kTotalsStep, visits.size());
    const std::vector<Window> some(visits.begin() + static_cast<ptrdiff_t>(from),
                                   visits.begin() + static_cast<ptrdiff_t>(to));
    const auto totals = co_await owner_.parts_.totals.Read(site_, some);
    if (!totals.ok()) co_return totals.status();
    for (size_t i = 0; i < some.size(); ++i) counts[some[i]] = totals->views[i];
  }
  std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
  AddRows("", counts, response);
  response.set_progress(1);
  co_return absl::OkStatus();
}

bool SnapshotExporter::Snapshot::AddAliases(v1::ExportSnapshotResponse& response) {
  const size_t count = std::min(kSnapshotPieceMax, aliases_.size());
  for (size_t i = 0; i < count; ++i) {
    auto& alias = *response.add_aliases();
    alias.set_from_article_id(std::move(aliases_.back().first));
    alias.set_into_article_id(std::move(aliases_.back().second));
    aliases_.pop_back();
  }
  totals_.set_aliases(totals_.aliases() + count);
  response.set_progress(1);
  return aliases_.empty();
}

asio::awaitable<absl::StatusOr<bool>> SnapshotExporter::Snapshot::AddAnnounced(v1::ExportSnapshotResponse& response) {
  response.set_progress(1);
  size_t bytes = 0;
  while (response.announced_size() == 0) {
    // Announcements may be long, so a message has as many as fit it.
    while (!announced_.empty() && bytes < kSnapshotMessageBytes) {
      bytes += announced_.back().ByteSizeLong();
      *response.add_announced() = std::move(announced_.back());
      announced_.pop_back();
    }
    if (response.announced_size() > 0 || shard_ == limits::kShards) break;
    auto scan =
        co_await owner_.parts_.articles.ScanArticleTexts(Shard{static_cast<uint8_t>(shard_)}, site_->name, cursor_);
    if (!scan.ok()) co_return LaterBecause(scan.status());
    for (auto& [id, text] : scan->texts) {
      v1::Article article;
      if (!seen_.insert(Hash64(id)).second || !article.ParseFromString(text)) continue;
      article.set_article_id(std::move(id));
      announced_.push_back(std::move(article));
    }
    cursor_ = std::move(scan->cursor);
    if (!cursor_.empty()) continue;
    ++shard_;
    seen_.clear();
  }
  totals_.set_announced(totals_.announced() + static_cast<uint64_t>(response.announced_size()));
  co_return announced_.empty() && shard_ == limits::kShards;
}

asio::awaitable<absl::StatusOr<SnapshotExporter::Snapshot::Moves>> SnapshotExporter::Snapshot::ReadMoves() const {
  const auto& parts = owner_.parts_;
  const auto log = co_await ReadAdjustments(parts.store, parts.counts, parts.ledgers, site_);
  if (!log.ok()) co_return log.status();
  Moves moves;
  for (const auto& [field, adjustment] : log->adjustments()) {
    const auto& message = adjustment.message;
    const bool moves_counts =
        message.kind() == journal::v1::ADJUSTMENT_KIND_MERGE || message.kind() == journal::v1::ADJUSTMENT_KIND_UNDO;
    if (moves_counts && !message.has_import()) moves.notes.push_back(field);
  }
  const auto site = parts.sites.Find(site_->name);
  if (site != nullptr) moves.aliases = site->alias_entries();
  co_return moves;
}

asio::awaitable<absl::Status> SnapshotExporter::Snapshot::AddTotals(v1::ExportSnapshotResponse& response) const {
  const auto moves = co_await ReadMoves();
  if (!moves.ok()) co_return moves.status();
  if (*moves != moves_) {
    co_return RetryLater(absl::StatusCode::kUnavailable,
                         "counts were moved from one article to another during the export; begin again",
                         limits::kRetryDelay);
  }
  *response.mutable_totals() = totals_;
  response.set_progress(1);
  co_return absl::OkStatus();
}

}  // namespace viewcount
