// Implements the parts of Adjuster that concern aliases: merging articles and undoing adjustments.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "service/adjustments/adjuster.h"
#include "service/adjustments/adjustment_checks.h"
#include "service/adjustments/changes.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Sums of changes are added up to this limit, far beyond every count.
constexpr int64_t kSummedMax = int64_t{1} << 60;

absl::Status NoSuchAdjustment(const std::string& adjustment_id) {
  return ErrorWithReason(absl::StatusCode::kNotFound,
                         fmt::format("no adjustment {}; viewcount adjustments lists them", adjustment_id),
                         "UNKNOWN_ADJUSTMENT");
}

// Returns the article into which this one was merged, or an empty string if it is no alias.
std::string MergedInto(const Site& site, const std::string& article_id) {
  const AliasEntries entries = site.alias_entries();
  const auto found = entries.find(article_id);
  return found == entries.end() ? "" : found->second.into;
}

absl::Status CheckNewAlias(const Site& site, const std::string& from, const std::string& into) {
  if (const std::string other = MergedInto(site, from); !other.empty()) {
    return InvalidField("from_article_id", fmt::format("is merged into \"{}\" already; undo that first", other));
  }
  if (site.Resolve(into) == from) {
    return InvalidField("into_article_id", fmt::format("is itself counted for \"{}\": that would be a circle", from));
  }
  return absl::OkStatus();
}

// Returns whether a merge of these two articles is recorded and has not been undone.
bool IsNoted(const AdjustmentLog& log, const std::string& from, const std::string& into) {
  for (const auto& [field, adjustment] : log.adjustments()) {
    const auto& alias = adjustment.message.alias();
    if (alias.from_article_id() == from && alias.into_article_id() == into &&
        !log.IsUndone(adjustment.message.adjustment_id())) {
      return true;
    }
  }
  return false;
}

// Returns true for an hour or a day whose counts the store may have deleted.
bool IsForgotten(const Site& site, Window window, int64_t now_unix_ms) {
  if (window.kind == Window::Kind::kHour) return !IsHourWritten(site.settings, window.number, now_unix_ms);
  if (window.kind == Window::Kind::kDay) return !IsDayWritten(site, window.number, now_unix_ms);
  return false;
}

// Returns the changes of a message with the opposite sign. Each change goes to the article for which its own is counted
// now. Hours and days that the store forgets are left out.
Changes OppositeOf(const journal::v1::Adjustment& message, const Site& site, int64_t now_unix_ms) {
  Changes changes;
  for (const auto& article : message.changes()) {
    auto& windows = changes[std::string(site.Resolve(article.article_id()))];
    for (const auto& change : article.windows()) {
      const Window window = WindowOf(change);
      if (!IsForgotten(site, window, now_unix_ms)) windows[window] -= change.views();
    }
  }
  return changes;
}

}  // namespace

asio::awaitable<absl::Status> Adjuster::SetAlias(std::shared_ptr<const Site> site, const std::string& from,
                                                 const std::string& into, journal::v1::Adjustment& message) {
  message.mutable_alias()->set_from_article_id(from);
  message.mutable_alias()->set_into_article_id(into);
  const AliasEntries entries = site->alias_entries();
  const auto known = entries.find(from);
  // The alias must be younger than the one in force, even if another instance with a faster clock wrote that one.
  const int64_t after = known == entries.end() ? 0 : known->second.unix_ms + 1;
  Alias alias{into, std::max(message.unix_ms(), after)};
  co_return co_await aliases_.Set(site->name, from, std::move(alias));
}

asio::awaitable<absl::Status> Adjuster::PutMoves(const std::string& site_name, const std::string& from,
                                                 journal::v1::Adjustment& message) {
  const auto site = parts_.sites.Find(site_name);
  const std::string into(site->Resolve(from));
  // Two instances can create a circle of aliases. Every article in it keeps its counts.
  if (into == from) co_return absl::OkStatus();
  const std::vector<std::string> ids = {from};
  const auto counts = co_await survey_.Read(site, ids);
  if (!counts.ok()) co_return counts.status();
  Changes changes;
  for (const auto& [id, windows] : *counts) {
    for (const auto& [window, views] : windows) {
      changes[from][window] = -views;
      changes[into][window] = views;
    }
  }
  PutChanges(changes, message);
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Adjuster::Merge(const v1::MergeArticlesRequest& request,
                                              v1::MergeArticlesResponse& response) {
  if (auto status = Check(request); !status.ok()) co_return status;
  if (auto status = co_await Enter(); !status.ok()) co_return status;
  const Lock lock(mutex_);
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const std::string& from = request.from_article_id();
  const std::string& into = request.into_article_id();
  auto message = Begin(*site, request.provenance(), journal::v1::ADJUSTMENT_KIND_MERGE);
  message.set_description(fmt::format("merged {} into {}", NameOf(from), NameOf(into)));
  bool noted = false;
  if (MergedInto(*site, from) == into) {
    // The merge is repeated: an earlier call may have ended half way, or another instance may have added to `from`.
    const auto log = co_await ReadAdjustments(parts_.store, parts_.counts, parts_.ledgers, site);
    if (!log.ok()) co_return log.status();
    noted = IsNoted(*log, from, into);
  } else if (auto status = CheckNewAlias(*site, from, into); !status.ok()) {
    co_return status;
  }
  if (!noted) {
    if (auto status = co_await SetAlias(site, from, into, message); !status.ok()) co_return status;
  }
  if (auto status = co_await PutMoves(site->name, from, message); !status.ok()) co_return status;
  if (noted && message.changes().empty()) {
    co_return ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                              fmt::format("{} is merged into {} already", NameOf(from), NameOf(into)),
                              "ALREADY_MERGED");
  }
  response.set_adjustment_id(message.adjustment_id());
  co_return co_await Journal(site->index, std::move(message));
}

asio::awaitable<absl::Status> Adjuster::PutUndo(std::shared_ptr<const Site> site, const AdjustmentLog& log,
                                                const journal::v1::Adjustment& undone,
                                                journal::v1::Adjustment& message) {
  const std::string& from = undone.alias().from_article_id();
  if (!from.empty() && undone.alias().into_article_id().empty()) {
    // This reverts the undo of a merge, so the merge applies again. Everything that was counted since moves too.
    const Adjustment* merge = log.Find(undone.undoes_adjustment_id());
    if (merge == nullptr) co_return NoSuchAdjustment(undone.undoes_adjustment_id());
    const std::string into = merge->message.alias().into_article_id();
    if (auto status = CheckNewAlias(*site, from, into); !status.ok()) co_return status;
    if (auto status = co_await SetAlias(site, from, into, message); !status.ok()) co_return status;
    co_return co_await PutMoves(site->name, from, message);
  }
  Site after = *site;
  if (!from.empty()) {
    AliasEntries entries = site->alias_entries();
    entries.erase(from);
    after.SetAliases(std::move(entries));
  }
  PutChanges(OppositeOf(undone, after, parts_.clock.UnixMillis()), message);
  if (auto status = co_await CheckChanges(site, message); !status.ok()) co_return status;
  if (from.empty()) co_return absl::OkStatus();
  co_return co_await SetAlias(site, from, "", message);
}

asio::awaitable<absl::Status> Adjuster::CheckChanges(std::shared_ptr<const Site> site,
                                                     const journal::v1::Adjustment& message) {
  // Several changes may be of one count, such as those of articles that were merged.
  Changes sums;
  for (const auto& article : message.changes()) {
    for (const auto& change : article.windows()) {
      int64_t& sum = sums[article.article_id()][WindowOf(change)];
      // A sum beyond this limit is refused below.
      if (sum > -kSummedMax && sum < kSummedMax) sum += change.views();
    }
  }
  for (const auto& [article_id, changes] : sums) {
    std::vector<int64_t> present;
    std::vector<Window> windows;
    for (const auto& [window, views] : changes) windows.push_back(window);
    if (article_id.empty()) {
      for (const Window window : windows) {
        const auto total = co_await Present(site, "", window);
        if (!total.ok()) co_return total.status();
        present.push_back(*total);
      }
    } else {
      const uint64_t hash = ArticleHash(site->seed, article_id);
      const std::vector<ArticleRef> articles = {{article_id, hash}};
      const auto read = co_await parts_.counts.ReadWindows(*site, ShardOf(hash), windows, articles);
      if (!read.ok()) {
        co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(read.status().message()), limits::kRetryDelay);
      }
      for (const auto& counts : *read) present.push_back(counts.front());
    }
    for (size_t i = 0; i < present.size(); ++i) {
      const int64_t views = changes.at(windows[i]);
      const int64_t sum = present[i] + views;
      if ((views >= 0 || sum >= 0) && sum <= static_cast<int64_t>(limits::kCountMax)) continue;
      co_return ErrorWithReason(
          absl::StatusCode::kFailedPrecondition,
          fmt::format("it would change a count of {} from {} to {}: something else changed it since; undo that first",
                      NameOf(article_id), present[i], sum),
          "CHANGED_SINCE");
    }
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Adjuster::Undo(const v1::UndoAdjustmentRequest& request,
                                             v1::UndoAdjustmentResponse& response) {
  if (auto status = Check(request); !status.ok()) co_return status;
  if (auto status = co_await Enter(); !status.ok()) co_return status;
  const Lock lock(mutex_);
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const auto log = co_await ReadAdjustments(parts_.store, parts_.counts, parts_.ledgers, site);
  if (!log.ok()) co_return log.status();
  const Adjustment* undone = log->Find(request.adjustment_id());
  if (undone == nullptr) co_return NoSuchAdjustment(request.adjustment_id());
  if (log->IsUndone(request.adjustment_id())) {
    co_return ErrorWithReason(absl::StatusCode::kFailedPrecondition,
                              fmt::format("adjustment {} is undone already", request.adjustment_id()),
                              "ALREADY_UNDONE");
  }
  if (undone->message.has_import()) {
    co_return ErrorWithReason(
        absl::StatusCode::kFailedPrecondition,
        "an import keeps no list of its rows; take it back with its file: viewcount import counts "
        "FILE --undo",
        "IMPORT");
  }
  auto message = Begin(*site, request.provenance(), journal::v1::ADJUSTMENT_KIND_UNDO);
  message.set_description(fmt::format("took back: {}", undone->message.description()));
  message.set_undoes_adjustment_id(request.adjustment_id());
  if (auto status = co_await PutUndo(site, *log, undone->message, message); !status.ok()) co_return status;
  response.set_adjustment_id(message.adjustment_id());
  co_return co_await Journal(site->index, std::move(message));
}

}  // namespace viewcount
