#include "service/query/article_sums.h"

#include <algorithm>
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

asio::awaitable<void> ReadPiece(CountReader& counts, const Site& site, Shard shard, const std::vector<Window>& windows,
                                const Piece& piece, std::vector<int64_t>& sums, absl::Status& error) {
  const auto read = co_await counts.ReadWindows(site, shard, windows, piece.articles);
  if (!read.ok()) {
    error = read.status();
    co_return;
  }
  for (const std::vector<int64_t>& window : *read) {
    for (size_t i = 0; i < piece.places.size(); ++i) sums[piece.places[i]] += window[i];
  }
}

}  // namespace

asio::awaitable<absl::StatusOr<std::vector<int64_t>>> ReadArticleSums(CountReader& counts,
                                                                      std::shared_ptr<const Site> site,
                                                                      std::vector<Window> windows,
                                                                      std::vector<std::string> articles) {
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
  std::vector<int64_t> sums(articles.size());
  absl::Status error;
  WaitGroup reads(co_await asio::this_coro::executor);
  // A piece takes a command for each window, and a few more.
  const size_t at_once = std::max<size_t>(1, kSumCommandsMax / (windows.size() + 4));
  size_t spawned = 0;
  for (const auto& [shard, piece] : pieces) {
    reads.Spawn(ReadPiece(counts, *site, shard, windows, piece, sums, error));
    if (++spawned % at_once == 0) co_await reads.Wait();
    if (!error.ok()) break;
  }
  co_await reads.Wait();
  if (!error.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(error.message()), limits::kRetryDelay);
  }
  co_return sums;
}

}  // namespace viewcount
