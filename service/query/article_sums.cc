#include "service/query/article_sums.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/wait_group.h"
#include "service/query/list_limits.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Articles of one shard, with their places in the result.
struct Piece {
  std::vector<ArticleRef> articles;
  std::vector<size_t> places;
};

// Adds the count of an article in a window to a sum. Both are indexes.
using AddCount = std::function<void(size_t window, size_t article, int64_t views)>;

asio::awaitable<void> ReadPiece(CountReader& counts, const Site& site, Shard shard, const std::vector<Window>& windows,
                                const Piece& piece, const AddCount& add, absl::Status& error) {
  const auto read = co_await counts.ReadWindows(site, shard, windows, piece.articles);
  if (!read.ok()) {
    error = read.status();
    co_return;
  }
  for (size_t window = 0; window < read->size(); ++window) {
    for (size_t i = 0; i < piece.places.size(); ++i) add(window, piece.places[i], (*read)[window][i]);
  }
}

// Reads all counts, a limited number of them at a time.
asio::awaitable<absl::Status> ReadCounts(CountReader& counts, std::shared_ptr<const Site> site,
                                         const std::vector<Window>& windows, const std::vector<std::string>& articles,
                                         const AddCount& add) {
  // One command reads a limited number of fields.
  const size_t size = std::max<size_t>(1, limits::kSurveyFieldsMax / windows.size());
  std::multimap<Shard, Piece> pieces;
  std::map<Shard, Piece*> open;
  for (size_t i = 0; i < articles.size(); ++i) {
    const uint64_t hash = ArticleHash(site->seed, articles[i]);
    Piece*& piece = open[ShardOf(hash)];
    if (piece == nullptr || piece->articles.size() >= size) piece = &pieces.emplace(ShardOf(hash), Piece())->second;
    piece->articles.push_back({articles[i], hash});
    piece->places.push_back(i);
  }
  absl::Status error;
  WaitGroup reads(co_await asio::this_coro::executor);
  // A piece takes a command for each window, and a few more.
  const size_t at_once = std::max<size_t>(1, kSumCommandsMax / (windows.size() + 4));
  size_t spawned = 0;
  for (const auto& [shard, piece] : pieces) {
    reads.Spawn(ReadPiece(counts, *site, shard, windows, piece, add, error));
    if (++spawned % at_once == 0) co_await reads.Wait();
    if (!error.ok()) break;
  }
  co_await reads.Wait();
  if (!error.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(error.message()), limits::kRetryDelay);
  }
  co_return absl::OkStatus();
}

}  // namespace

asio::awaitable<absl::StatusOr<std::vector<int64_t>>> ReadArticleSums(CountReader& counts,
                                                                      std::shared_ptr<const Site> site,
                                                                      std::vector<Window> windows,
                                                                      std::vector<std::string> articles) {
  std::vector<int64_t> sums(articles.size());
  const AddCount add = [&](size_t, size_t article, int64_t views) { sums[article] += views; };
  const absl::Status read = co_await ReadCounts(counts, std::move(site), windows, articles, add);
  if (!read.ok()) co_return read;
  co_return sums;
}

asio::awaitable<absl::StatusOr<std::vector<int64_t>>> ReadWindowSums(CountReader& counts,
                                                                     std::shared_ptr<const Site> site,
                                                                     std::vector<Window> windows,
                                                                     std::vector<std::string> articles) {
  std::vector<int64_t> sums(windows.size());
  const AddCount add = [&](size_t window, size_t, int64_t views) { sums[window] += views; };
  const absl::Status read = co_await ReadCounts(counts, std::move(site), windows, articles, add);
  if (!read.ok()) co_return read;
  co_return sums;
}

}  // namespace viewcount
