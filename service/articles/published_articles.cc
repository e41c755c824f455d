#include "service/articles/published_articles.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Returns whether a publication lies on the requested side of the middle.
bool IsBeyond(const Publication& publication, const std::optional<Publication>& middle, bool newer) {
  if (!middle) return !newer;
  if (middle->article_id.empty()) return (publication.unix_ms > middle->unix_ms) == newer;
  return newer ? publication > *middle : publication < *middle;
}

}  // namespace

asio::awaitable<absl::StatusOr<PublishedArticles::Answer>> PublishedArticles::Read(std::shared_ptr<const Site> site,
                                                                                   Question question) {
  const Key key{site, catalog_.writes(), question};
  const std::function<asio::awaitable<absl::StatusOr<Answer>>()> read = [&] { return ReadNow(site, question); };
  co_return co_await reads_.Read(key, read);
}

asio::awaitable<absl::StatusOr<PublishedArticles::Answer>> PublishedArticles::ReadNow(std::shared_ptr<const Site> site,
                                                                                      Question question) {
  const int64_t now_unix_ms = clock_.UnixMillis();
  const bool newer = question.newer;
  // Articles of the future are not published yet.
  const int64_t from = question.middle ? question.middle->unix_ms : now_unix_ms;
  PublicationRange range{.ascending = newer, .unix_ms = newer ? from : std::min(from, now_unix_ms)};
  range.articles_max = std::max(kPublicationStepMin, 2 * question.articles_max);
  Answer answer;
  while (answer.articles.size() < question.articles_max) {
    if (range.skipped >= kPublicationsMax) {
      answer.complete = false;
      break;
    }
    const auto publications = co_await catalog_.ReadPublications(site, range);
    if (!publications.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(publications.status().message()), limits::kRetryDelay);
    }
    std::vector<std::string_view> ids;
    for (const Publication& publication : *publications) ids.push_back(publication.article_id);
    // Another instance may have announced them a moment ago.
    auto details = co_await catalog_.ReadDetailsNow(site, std::move(ids));
    if (!details.complete) {
      co_return RetryLater(absl::StatusCode::kUnavailable, "what was announced about the articles cannot be read",
                           limits::kRetryDelay);
    }
    for (size_t i = 0; i < publications->size() && answer.articles.size() < question.articles_max; ++i) {
      const Publication& publication = (*publications)[i];
      const ArticleDetails& article = details.articles[i];
      if (publication.unix_ms > now_unix_ms || !IsBeyond(publication, question.middle, newer)) continue;
      if (article == nullptr || PublishTimeOf(*article) != publication.unix_ms) continue;
      if (article->hidden_from_lists() || !HasLabel(article->sections(), question.section)) continue;
      if (site->Resolve(publication.article_id) != publication.article_id) continue;
      // An article that was announced meanwhile may have moved others to the next step.
      const auto is_it = [&](const PublishedArticle& one) { return one.article_id == publication.article_id; };
      if (std::ranges::any_of(answer.articles, is_it)) continue;
      answer.articles.push_back({publication.article_id, article});
    }
    if (publications->size() < range.articles_max) break;
    // In ascending order, everything that follows is of the future as well.
    if (newer && publications->back().unix_ms > now_unix_ms) break;
    range.skipped += range.articles_max;
    const size_t left = kPublicationsMax - std::min(range.skipped, kPublicationsMax);
    range.articles_max = std::min({kPublicationStepMax, 2 * range.articles_max, left});
  }
  co_return answer;
}

}  // namespace viewcount
