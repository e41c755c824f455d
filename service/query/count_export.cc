#include "service/query/count_export.h"

#include <algorithm>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// The longest wait for the flush. It is done in steps, so that a stop of the service can end it.
constexpr std::chrono::milliseconds kExportFlushTimeout{60'000};
constexpr std::chrono::milliseconds kExportFlushStep{300};

}  // namespace

asio::awaitable<absl::StatusOr<std::unique_ptr<CountExporter::Export>>> CountExporter::Begin(
    std::shared_ptr<const Site> site, std::vector<Window> windows) {
  if (*open_ >= limits::kExportsMax) {
    co_return RetryLater(absl::StatusCode::kResourceExhausted, "too many exports are under way", limits::kRetryDelay);
  }
  ++*open_;
  auto begun = std::unique_ptr<Export>(new Export(*this, std::move(site), std::move(windows)));
  const absl::Status flushed = co_await Flush();
  if (!flushed.ok()) co_return flushed;
  co_return begun;
}

asio::awaitable<absl::Status> CountExporter::Flush() const {
  const auto end = std::chrono::steady_clock::now() + kExportFlushTimeout;
  while (true) {
    const absl::Status status = co_await flush_(kExportFlushStep);
    if (status.ok()) co_return status;
    const bool late = std::chrono::steady_clock::now() >= end;
    if (absl::IsDeadlineExceeded(status) && !late && !stopped_) continue;
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
  }
}

CountExporter::Export::Export(CountExporter& owner, std::shared_ptr<const Site> site, std::vector<Window> windows)
    : owner_(owner),
      open_(owner.open_),
      site_(std::move(site)),
      generation_(owner.store_.generation()),
      listed_(std::move(windows)),
      read_(listed_),
      views_(listed_.size()) {
  if (listed_.front().kind != Window::Kind::kAllTime) return;
  // An article may have been viewed by bots alone.
  listed_.push_back({Window::Kind::kBots, 0});
  read_.push_back({Window::Kind::kBots, 0});
  read_.push_back({Window::Kind::kViewers, 0});
}

asio::awaitable<absl::StatusOr<std::optional<CountExporter::Export::Piece>>> CountExporter::Export::Next() {
  while (true) {
    if (owner_.stopped_) {
      co_return RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay);
    }
    if (waiting_.empty()) {
      const auto more = co_await Scan();
      if (auto status = CheckWhole(); !status.ok()) co_return status;
      if (!more.ok()) co_return more.status();
      if (!*more) co_return std::nullopt;
      continue;
    }
    const size_t count = std::min(
        {waiting_.size(), limits::kGetCountsArticlesMax, std::max<size_t>(1, limits::kSurveyFieldsMax / read_.size())});
    std::vector<std::string> ids(std::make_move_iterator(waiting_.end() - static_cast<ptrdiff_t>(count)),
                                 std::make_move_iterator(waiting_.end()));
    waiting_.resize(waiting_.size() - count);
    auto piece = co_await Read(std::move(ids));
    if (auto status = CheckWhole(); !status.ok()) co_return status;
    if (!piece.ok()) co_return piece.status();
    if (!piece->ids.empty()) co_return std::optional(*std::move(piece));
  }
}

absl::Status CountExporter::Export::CheckWhole() const {
  if (owner_.store_.generation() != generation_) {
    return RetryLater(absl::StatusCode::kUnavailable, "Redis was connected again meanwhile; begin again",
                      limits::kRetryDelay);
  }
  if (owner_.are_kept_ && !owner_.are_kept_(*site_, listed_)) {
    return RetryLater(absl::StatusCode::kUnavailable,
                      "the first hour or day of the window is no longer kept; begin again", limits::kRetryDelay);
  }
  return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<bool>> CountExporter::Export::Scan() {
  if (shard_ == limits::kShards) co_return false;
  auto scan =
      co_await owner_.store_.ScanArticles(Shard{static_cast<uint8_t>(shard_)}, site_->name, listed_[at_], cursor_);
  if (!scan.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(scan.status().message()), limits::kRetryDelay);
  }
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

asio::awaitable<absl::StatusOr<CountExporter::Export::Piece>> CountExporter::Export::Read(
    std::vector<std::string> ids) {
  std::vector<ArticleRef> articles;
  for (const std::string& id : ids) articles.push_back({id, ArticleHash(site_->seed, id)});
  const auto read = co_await owner_.counts_.ReadWindows(*site_, ShardOf(articles[0].hash), read_, articles);
  if (!read.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(read.status().message()), limits::kRetryDelay);
  }
  Piece piece;
  for (size_t i = 0; i < ids.size(); ++i) {
    int64_t views = 0;
    for (size_t window = 0; window < views_; ++window) views += (*read)[window][i];
    ArticleTotals totals{.views = ShownCount(views)};
    if (read_.size() > views_) {
      totals.bot_views = ShownCount((*read)[1][i]);
      totals.viewers = static_cast<uint64_t>((*read)[2][i]);
    }
    if (totals.views == 0 && totals.bot_views == 0) continue;
    piece.ids.push_back(std::move(ids[i]));
    piece.totals.push_back(totals);
  }
  co_return piece;
}

}  // namespace viewcount
