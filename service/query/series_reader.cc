#include "service/query/series_reader.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/query/article_sums.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

absl::Status TooManyCounts(size_t articles, const std::vector<Window>& windows) {
  const char* const unit = windows.front().kind == Window::Kind::kHour ? "hours" : "days";
  const size_t most = kLabelCountsMax / articles;
  return absl::ResourceExhaustedError(fmt::format(
      "{} articles have this label, and the series has {} {}; articles times {} may be {}{}", articles, windows.size(),
      unit, unit, kLabelCountsMax, most == 0 ? std::string() : fmt::format(": ask for at most {} {}", most, unit)));
}

}  // namespace

asio::awaitable<SeriesReader::Views> SeriesReader::Read(std::shared_ptr<const Site> site, SeriesSubject subject,
                                                        std::vector<Window> windows) {
  if (windows.empty()) co_return std::vector<int64_t>();
  if (subject.label) {
    const std::tuple key{site, *subject.label, windows};
    const std::function<asio::awaitable<Views>()> read = [&] { return ReadLabel(site, *subject.label, windows); };
    co_return co_await label_reads_.Read(key, read);
  }
  if (!subject.article_id.empty()) {
    co_return co_await ReadArticle(std::move(site), std::move(subject.article_id), std::move(windows));
  }
  auto totals = co_await parts_.totals.Read(std::move(site), std::move(windows));
  if (!totals.ok()) co_return totals.status();
  co_return std::move(totals->views);
}

asio::awaitable<SeriesReader::Views> SeriesReader::ReadArticle(std::shared_ptr<const Site> site, std::string id,
                                                               std::vector<Window> windows) const {
  const uint64_t hash = ArticleHash(site->seed, id);
  const std::vector<ArticleRef> articles = {{id, hash}};
  const auto read = co_await parts_.counts.ReadWindows(*site, ShardOf(hash), windows, articles);
  if (!read.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(read.status().message()), limits::kRetryDelay);
  }
  std::vector<int64_t> views;
  for (const auto& window : *read) views.push_back(window.front());
  co_return views;
}

asio::awaitable<SeriesReader::Views> SeriesReader::ReadLabel(std::shared_ptr<const Site> site, ArticleLabel label,
                                                             std::vector<Window> windows) const {
  auto articles = co_await parts_.labels.Find(site, std::move(label));
  if (!articles.ok()) co_return articles.status();
  if (articles->empty()) co_return std::vector<int64_t>(windows.size());
  if (articles->size() > kLabelCountsMax / windows.size()) co_return TooManyCounts(articles->size(), windows);
  co_return co_await ReadWindowSums(parts_.counts, std::move(site), std::move(windows), *std::move(articles));
}

}  // namespace viewcount
