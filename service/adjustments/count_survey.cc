#include "service/adjustments/count_survey.h"

#include <algorithm>
#include <string_view>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

asio::awaitable<absl::StatusOr<SurveyedCounts>> CountSurvey::Read(std::shared_ptr<const Site> site,
                                                                  const std::vector<std::string>& ids) {
  for (int attempt = 0; attempt < limits::kReadAttemptsMax; ++attempt) {
    SurveyedCounts counts;
    const absl::Status status = co_await TryRead(*site, ids, counts);
    if (status.ok()) co_return counts;
    if (!absl::IsAborted(status)) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
    }
  }
  co_return RetryLater(absl::StatusCode::kUnavailable, "the counts changed faster than they could be read",
                       limits::kRetryDelay);
}

asio::awaitable<absl::Status> CountSurvey::TryRead(const Site& site, const std::vector<std::string>& ids,
                                                   SurveyedCounts& counts) {
  Mark();
  auto stored = co_await store_.ListWindows(site.name);
  if (!stored.ok()) co_return stored.status();
  windows_ = std::move(*stored);
  windows_.insert({Window::Kind::kAllTime, 0});
  windows_.insert({Window::Kind::kBots, 0});
  if (!TakeWindows(site.index)) co_return absl::AbortedError("");
  std::map<Shard, std::vector<ArticleRef>> by_shard;
  for (const std::string& id : ids) {
    const uint64_t hash = ArticleHash(site.seed, id);
    by_shard[ShardOf(hash)].push_back({id, hash});
  }
  for (const auto& [shard, articles] : by_shard) {
    const size_t step = std::max<size_t>(1, limits::kSurveyFieldsMax / windows_.size());
    for (size_t from = 0; from < articles.size(); from += step) {
      const size_t to = std::min(from + step, articles.size());
      const std::vector<ArticleRef> some(articles.begin() + static_cast<ptrdiff_t>(from),
                                         articles.begin() + static_cast<ptrdiff_t>(to));
      if (auto status = co_await ReadArticles(site, shard, some, counts); !status.ok()) co_return status;
    }
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> CountSurvey::ReadArticles(const Site& site, Shard shard,
                                                        const std::vector<ArticleRef>& articles,
                                                        SurveyedCounts& counts) {
  while (true) {
    const std::vector<Window> windows(windows_.begin(), windows_.end());
    const auto read = co_await counts_.ReadWindows(site, shard, windows, articles);
    if (!read.ok()) co_return read.status();
    const auto grown = TakeWindows(site.index);
    if (!grown) co_return absl::AbortedError("");
    if (*grown) continue;
    for (size_t w = 0; w < windows.size(); ++w) {
      for (size_t i = 0; i < articles.size(); ++i) {
        if ((*read)[w][i] != 0) counts[std::string(articles[i].id)][windows[w]] = (*read)[w][i];
      }
    }
    co_return absl::OkStatus();
  }
}

void CountSurvey::Mark() {
  marks_.clear();
  for (const Ledger* ledger : ledgers_) marks_.push_back(ledger->TakeSnapshot());
}

std::optional<bool> CountSurvey::TakeWindows(SiteIndex site) {
  const std::vector<Ledger::Snapshot> before = std::exchange(marks_, {});
  Mark();
  const size_t known = windows_.size();
  for (size_t lane = 0; lane < ledgers_.size(); ++lane) {
    const auto windows = ledgers_[lane]->WindowsSince(before[lane], site);
    if (!windows) return std::nullopt;
    windows_.insert(windows->begin(), windows->end());
  }
  return windows_.size() != known;
}

}  // namespace viewcount
