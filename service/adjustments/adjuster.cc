#include "service/adjustments/adjuster.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <optional>
#include <utility>

#include "service/adjustments/adjustment_checks.h"
#include "service/adjustments/changes.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/model/lane_choice.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;
using std::chrono::steady_clock;

namespace {

constexpr Window kAllTime{Window::Kind::kAllTime, 0};

// The maximum number of articles that a description names. A request may have a thousand.
constexpr size_t kArticlesNamedMax = 10;

// Describes what was done to some articles, such as `deleted "a", "b" and 12 more`.
std::string DoneText(std::string_view done, const std::vector<std::string>& ids) {
  const size_t count = ids.size();
  std::string text(done);
  for (size_t i = 0; i < std::min(count, kArticlesNamedMax); ++i) text += (i > 0 ? ", " : " ") + NameOf(ids[i]);
  if (count > kArticlesNamedMax) text += fmt::format(" and {} more", count - kArticlesNamedMax);
  return text;
}

absl::Status CheckIsNoAlias(const Site& site, const std::string& field, const std::string& article_id) {
  const std::string_view into = site.Resolve(article_id);
  if (into == article_id) return absl::OkStatus();
  return InvalidField(field, fmt::format("is counted for \"{}\" since they were merged; name that one", into));
}

}  // namespace

Adjuster::Adjuster(const asio::any_io_executor& executor, Dependencies parts)
    : parts_(std::move(parts)),
      survey_(parts_.store, parts_.counts, parts_.ledgers),
      aliases_(parts_.sites, parts_.site_store, parts_.ledgers),
      mutex_(std::make_shared<AsyncMutex>(executor)) {}

asio::awaitable<absl::Status> Adjuster::Enter() {
  const std::shared_ptr<AsyncMutex> mutex = mutex_;
  if (mutex->waiting >= limits::kAdjustmentsWaitingMax) {
    co_return RetryLater(absl::StatusCode::kResourceExhausted, "too many adjustments wait for their turn",
                         limits::kRetryDelay);
  }
  ++mutex->waiting;
  while (mutex->busy) co_await mutex->left.Wait();
  --mutex->waiting;
  mutex->busy = true;
  co_return absl::OkStatus();
}

journal::v1::Adjustment Adjuster::Begin(const Site& site, const v1::Provenance& provenance,
                                        journal::v1::AdjustmentKind kind) {
  // Names of notes sort by time, so no two notes of this instance may have the same time.
  last_unix_ms_ = std::max(last_unix_ms_ + 1, parts_.clock.UnixMillis());
  journal::v1::Adjustment message;
  message.set_adjustment_id(ToHex(RandomId<Id128<struct AdjustmentIdTag>>()));
  message.set_site(site.name);
  message.set_unix_ms(last_unix_ms_);
  message.set_who(provenance.who());
  message.set_why(provenance.why());
  message.set_kind(kind);
  return message;
}

asio::awaitable<absl::Status> Adjuster::Journal(SiteIndex site, journal::v1::Adjustment message) {
  if (message.ByteSizeLong() > limits::kAdjustmentBytesMax) {
    co_return absl::ResourceExhaustedError(
        fmt::format("the change is too large: it touches more days and hours than fit {} bytes; take fewer articles",
                    limits::kAdjustmentBytesMax));
  }
  struct Answer {
    explicit Answer(const asio::any_io_executor& executor) : changed(executor) {}
    AsyncEvent changed;
    std::optional<absl::Status> status;
  };
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto answer = std::make_shared<Answer>(executor);
  const auto submitted = std::make_shared<SubmittedAdjustment>();
  submitted->adjustment = MakeAdjustment(std::move(message));
  submitted->site = site;
  submitted->done = [answer, executor](const absl::Status& status) {
    asio::post(executor, [answer, status] {
      answer->status = status;
      answer->changed.NotifyAll();
    });
  };
  Lane* lane = parts_.lanes.front();
  if (const auto& part = submitted->adjustment.message; part.has_import()) {
    lane = parts_.lanes[LaneOfWriter(WriterOf(part).writer, parts_.lanes.size())];
  }
  if (auto status = lane->Submit(submitted); !status.ok()) co_return status;
  while (!answer->status) co_await answer->changed.Wait();
  co_return *answer->status;
}

asio::awaitable<absl::StatusOr<int64_t>> Adjuster::Present(std::shared_ptr<const Site> site, const std::string& id,
                                                           Window window) {
  const std::vector<Window> windows(1, window);
  if (id.empty()) {
    const auto totals = co_await parts_.totals.Read(site, windows);
    if (!totals.ok()) co_return totals.status();
    co_return totals->views.front();
  }
  const uint64_t hash = ArticleHash(site->seed, id);
  const std::vector<ArticleRef> articles = {{id, hash}};
  const auto read = co_await parts_.counts.ReadWindows(*site, ShardOf(hash), windows, articles);
  if (!read.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(read.status().message()), limits::kRetryDelay);
  }
  co_return read->front().front();
}

asio::awaitable<absl::Status> Adjuster::Set(const v1::SetCountsRequest& request, v1::SetCountsResponse& response) {
  if (auto status = Check(request); !status.ok()) co_return status;
  if (auto status = co_await Enter(); !status.ok()) co_return status;
  const Lock lock(mutex_);
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  if (auto status = CheckIsNoAlias(*site, "article_id", request.article_id()); !status.ok()) co_return status;
  struct Wish {
    const char* what;
    Window window;
    uint64_t count;
  };
  std::vector<Wish> wishes;
  if (request.has_views()) wishes.push_back({"views", kAllTime, request.views()});
  if (request.has_visits()) wishes.push_back({"visits", {Window::Kind::kVisits, 0}, request.visits()});
  auto message = Begin(*site, request.provenance(), journal::v1::ADJUSTMENT_KIND_SET);
  std::string description = "set";
  Changes changes;
  for (const Wish& wish : wishes) {
    const auto present = co_await Present(site, request.article_id(), wish.window);
    if (!present.ok()) co_return present.status();
    description += fmt::format("{} the {} of {} from {} to {}", changes.empty() ? "" : ", and", wish.what,
                               NameOf(request.article_id()), *present, wish.count);
    changes[request.article_id()][wish.window] = static_cast<int64_t>(wish.count) - *present;
  }
  message.set_description(std::move(description));
  PutChanges(changes, message);
  response.set_adjustment_id(message.adjustment_id());
  co_return co_await Journal(site->index, std::move(message));
}

asio::awaitable<absl::Status> Adjuster::Delete(const v1::DeleteArticlesRequest& request,
                                               v1::DeleteArticlesResponse& response) {
  if (auto status = Check(request); !status.ok()) co_return status;
  if (auto status = co_await Enter(); !status.ok()) co_return status;
  const Lock lock(mutex_);
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const std::vector<std::string> ids(request.article_ids().begin(), request.article_ids().end());
  for (size_t i = 0; i < ids.size(); ++i) {
    if (auto status = CheckIsNoAlias(*site, fmt::format("article_ids[{}]", i), ids[i]); !status.ok()) co_return status;
  }
  const auto counts = co_await survey_.Read(site, ids);
  if (!counts.ok()) co_return counts.status();
  auto message = Begin(*site, request.provenance(), journal::v1::ADJUSTMENT_KIND_DELETE);
  message.set_description(DoneText("deleted", ids));
  Changes changes;
  for (const auto& [id, windows] : *counts) {
    for (const auto& [window, views] : windows) changes[id][window] = -views;
  }
  PutChanges(changes, message);
  response.set_adjustment_id(message.adjustment_id());
  co_return co_await Journal(site->index, std::move(message));
}

asio::awaitable<absl::Status> Adjuster::Normalize(const v1::NormalizeArticlesRequest& request,
                                                  v1::NormalizeArticlesResponse& response) {
  if (auto status = Check(request); !status.ok()) co_return status;
  if (auto status = co_await Enter(); !status.ok()) co_return status;
  const Lock lock(mutex_);
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const std::vector<std::string> ids(request.article_ids().begin(), request.article_ids().end());
  // The site's own rule would remember the parameters of these addresses, which are not those of visitors.
  const auto rule = ArticleRule::Make(site->settings.articles);
  if (!rule.ok()) co_return rule.status();
  const AddressKind kind = request.canonical() ? AddressKind::kCanonical : AddressKind::kRequested;
  std::map<std::string, std::string> targets;
  std::vector<std::string> moved;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string field = fmt::format("article_ids[{}]", i);
    if (auto status = CheckIsNoAlias(*site, field, ids[i]); !status.ok()) co_return status;
    const auto named = NormalFormOf(*rule, ids[i], kind);
    if (!named) co_return InvalidField(field, "is no address of a page");
    if (named->article_id == ids[i]) co_return InvalidField(field, "is in its normal form already");
    // An alias may lead back to the article, which then has its place.
    const std::string target(site->Resolve(named->article_id));
    if (target == ids[i]) continue;
    targets[ids[i]] = target;
    moved.push_back(ids[i]);
  }
  if (moved.empty()) {
    co_return ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                              "the present addresses of these articles are merged into them", "NOTHING_TO_MOVE");
  }
  const auto counts = co_await survey_.Read(site, moved);
  if (!counts.ok()) co_return counts.status();
  auto message = Begin(*site, request.provenance(), journal::v1::ADJUSTMENT_KIND_MERGE);
  message.set_description(DoneText("moved to the present addresses:", moved));
  Changes changes;
  for (const auto& [id, windows] : *counts) {
    for (const auto& [window, views] : windows) {
      changes[id][window] -= views;
      changes[targets[id]][window] += views;
    }
  }
  PutChanges(changes, message);
  response.set_adjustment_id(message.adjustment_id());
  co_return co_await Journal(site->index, std::move(message));
}

asio::awaitable<absl::Status> Adjuster::Note(const std::string& site_name, const v1::Provenance& provenance,
                                             const std::string& description) {
  if (auto status = Check(provenance); !status.ok()) co_return status;
  if (auto status = co_await Enter(); !status.ok()) co_return status;
  const Lock lock(mutex_);
  const auto site = parts_.sites.Find(site_name);
  if (site == nullptr) co_return UnknownSite(site_name);
  auto message = Begin(*site, provenance, journal::v1::ADJUSTMENT_KIND_SET);
  message.set_description(description);
  co_return co_await Journal(site->index, std::move(message));
}

asio::awaitable<absl::Status> Adjuster::Import(const std::string& site_name, journal::v1::Adjustment& message,
                                               bool check, const std::function<absl::Status()>& admit) {
  if (auto status = co_await Enter(); !status.ok()) co_return status;
  const Lock lock(mutex_);
  if (auto status = admit(); !status.ok()) co_return status;
  const auto site = parts_.sites.Find(site_name);
  if (site == nullptr) co_return parts_.sites.Unknown(site_name);
  message.set_site(site_name);
  if (message.unix_ms() == 0) {
    last_unix_ms_ = std::max(last_unix_ms_ + 1, parts_.clock.UnixMillis());
    message.set_unix_ms(last_unix_ms_);
  }
  for (auto& change : *message.mutable_changes()) {
    const std::string_view into = site->Resolve(change.article_id());
    if (into != change.article_id()) change.set_article_id(std::string(into));
  }
  if (check) {
    if (auto status = co_await CheckChanges(site, message); !status.ok()) co_return status;
  }
  co_return co_await Journal(site->index, message);
}

asio::awaitable<absl::StatusOr<std::map<Window, int64_t>>> Adjuster::ReadStartValues(
    std::shared_ptr<const Site> site, SnapshotStore& store, std::function<asio::awaitable<absl::Status>()> flush) {
  if (auto status = co_await Enter(); !status.ok()) co_return status;
  const Lock lock(mutex_);
  if (auto status = co_await flush(); !status.ok()) co_return status;
  std::map<Window, int64_t> sums;
  for (uint8_t shard = 0; shard < limits::kShards; ++shard) {
    const auto values = co_await store.ReadStartValues(Shard{shard}, site->name);
    if (!values.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(values.status().message()), limits::kRetryDelay);
    }
    for (const auto& [window, views] : *values) sums[window] += views;
  }
  co_return sums;
}

asio::awaitable<absl::Status> Adjuster::List(const v1::ListAdjustmentsRequest& request,
                                             v1::ListAdjustmentsResponse& response) {
  if (auto status = Check(request); !status.ok()) co_return status;
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const auto log = co_await ReadAdjustments(parts_.store, parts_.counts, parts_.ledgers, site);
  if (!log.ok()) co_return log.status();
  const auto& adjustments = log->adjustments();
  // A page token is the name of the last note on the previous page.
  auto next = std::make_reverse_iterator(request.page_token().empty() ? adjustments.end()
                                                                      : adjustments.lower_bound(request.page_token()));
  const size_t page = request.page_size() == 0 ? limits::kAdjustmentsPageDefault : request.page_size();
  for (size_t i = 0; i < page && next != adjustments.rend(); ++i, ++next) {
    const auto& message = next->second.message;
    auto* listed = response.add_adjustments();
    listed->set_adjustment_id(message.adjustment_id());
    *listed->mutable_time() = TimeUtil::MillisecondsToTimestamp(message.unix_ms());
    listed->mutable_provenance()->set_who(message.who());
    listed->mutable_provenance()->set_why(message.why());
    listed->set_description(message.description());
    listed->set_undone(log->IsUndone(message.adjustment_id()));
    if (std::next(next) != adjustments.rend() && i + 1 == page) response.set_next_page_token(next->first);
  }
  co_return absl::OkStatus();
}

}  // namespace viewcount
