#include "service/articles/article_catalog.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

absl::Status Check(const v1::Article& article, int index) {
  const auto refused = [&](std::string_view field, std::string_view allowed) {
    return InvalidField(fmt::format("articles[{}].{}", index, field), std::string(allowed));
  };
  if (!IsArticleId(article.article_id())) {
    return refused("article_id", fmt::format("must be 1 to {} bytes of UTF-8 without control characters",
                                             limits::kArticleIdBytesMax));
  }
  struct Text {
    const char* field;
    const std::string& value;
    size_t bytes_max;
  };
  for (const Text& text : {Text{"title", article.title(), limits::kArticleTitleBytesMax},
                           Text{"url", article.url(), limits::kArticleUrlBytesMax},
                           Text{"section", article.section(), limits::kArticleSectionBytesMax}}) {
    if (text.value.size() > text.bytes_max) {
      return refused(text.field, fmt::format("must be at most {} bytes", text.bytes_max));
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const v1::PutArticlesRequest& request) {
  const auto count = static_cast<size_t>(request.articles_size());
  if (count == 0 || count > limits::kPutArticlesMax) {
    return InvalidField("articles", fmt::format("must be 1 to {}", limits::kPutArticlesMax));
  }
  for (int i = 0; i < request.articles_size(); ++i) {
    if (auto status = Check(request.articles(i), i); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

asio::awaitable<absl::Status> ArticleCatalog::Put(const v1::PutArticlesRequest& request) {
  if (auto status = Check(request); !status.ok()) co_return status;
  const auto site = sites_.Find(request.site());
  if (site == nullptr) co_return sites_.Unknown(request.site());
  std::map<Shard, std::map<std::string, std::string>> texts;
  for (v1::Article article : request.articles()) {
    const std::string id(site->Resolve(article.article_id()));
    article.clear_article_id();
    texts[ShardOf(ArticleHash(site->seed, id))][id] = article.SerializeAsString();
  }
  for (const auto& [shard, articles] : texts) {
    if (auto status = co_await store_.WriteArticles(shard, site->name, articles); !status.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
    }
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<std::set<std::string_view>>> ArticleCatalog::FindAnnounced(
    std::shared_ptr<const Site> site, const std::vector<std::string_view>& ids) {
  std::map<Shard, std::vector<std::string_view>> questions;
  for (const std::string_view id : ids) questions[ShardOf(ArticleHash(site->seed, id))].push_back(id);
  std::set<std::string_view> announced;
  for (const auto& [shard, asked] : questions) {
    const auto texts = co_await store_.ReadArticles(shard, site->name, asked);
    if (!texts.ok()) co_return texts.status();
    for (size_t i = 0; i < asked.size() && i < texts->size(); ++i) {
      if ((*texts)[i]) announced.insert(asked[i]);
    }
  }
  co_return announced;
}

}  // namespace viewcount
