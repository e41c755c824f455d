#include "service/articles/article_catalog.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/base/wait_group.h"

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
                           Text{"section", article.section(), limits::kArticleLabelBytesMax},
                           Text{"image_url", article.image_url(), limits::kArticleUrlBytesMax},
                           Text{"language", article.language(), limits::kArticleLanguageBytesMax}}) {
    if (text.value.size() > text.bytes_max) {
      return refused(text.field, fmt::format("must be at most {} bytes", text.bytes_max));
    }
  }
  struct Labels {
    const char* field;
    const google::protobuf::RepeatedPtrField<std::string>& values;
  };
  for (const Labels& labels :
       {Labels{"authors", article.authors()}, Labels{"tags", article.tags()}, Labels{"sections", article.sections()}}) {
    if (static_cast<size_t>(labels.values.size()) > limits::kArticleLabelsMax) {
      return refused(labels.field, fmt::format("must be at most {}", limits::kArticleLabelsMax));
    }
    for (const std::string& label : labels.values) {
      if (!label.empty() && label.size() <= limits::kArticleLabelBytesMax) continue;
      return refused(labels.field, fmt::format("must each be 1 to {} bytes", limits::kArticleLabelBytesMax));
    }
  }
  if (!IsTime(article.publish_time())) return refused("publish_time", "must be a time from the year 1 to 9999");
  if (!article.section().empty() && !article.sections().empty() && article.section() != article.sections(0)) {
    return refused("section", "must be the first of sections, or empty");
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

// The shard of the site's order of publication.
Shard HomeOf(const Site& site) { return ShardOf(ArticleHash(site.seed, "")); }

}  // namespace

bool IsTime(const google::protobuf::Timestamp& time) {
  constexpr int64_t kFirstSecond = -62'135'596'800;
  constexpr int64_t kLastSecond = limits::kEventTimeUnixMsMax / 1'000;
  return time.seconds() >= kFirstSecond && time.seconds() <= kLastSecond && time.nanos() >= 0 &&
         time.nanos() < 1'000'000'000;
}

std::optional<int64_t> PublishTimeOf(const v1::Article& article) {
  if (!article.has_publish_time()) return std::nullopt;
  return google::protobuf::util::TimeUtil::TimestampToMilliseconds(article.publish_time());
}

void CompleteSection(v1::Article& article) {
  if (!article.section().empty() && article.sections().empty()) article.add_sections(article.section());
  if (article.section().empty() && !article.sections().empty()) article.set_section(article.sections(0));
}

bool HasLabel(const google::protobuf::RepeatedPtrField<std::string>& labels, const std::string& label) {
  return label.empty() || std::ranges::find(labels, label) != labels.end();
}

asio::awaitable<absl::Status> ArticleCatalog::Put(const v1::PutArticlesRequest& request) {
  if (auto status = Check(request); !status.ok()) co_return status;
  const auto site = sites_.Find(request.site());
  if (site == nullptr) co_return sites_.Unknown(request.site());
  std::map<Shard, std::map<std::string, std::string>> texts;
  std::map<std::string, std::optional<int64_t>> published;
  for (v1::Article article : request.articles()) {
    const std::string id(site->Resolve(article.article_id()));
    article.clear_article_id();
    article.clear_announced_by_page();
    CompleteSection(article);
    published[id] = PublishTimeOf(article);
    texts[ShardOf(ArticleHash(site->seed, id))][id] = article.SerializeAsString();
  }
  for (const auto& [shard, articles] : texts) {
    if (auto status = co_await store_.WriteArticles(shard, site->name, articles); !status.ok()) {
      co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
    }
    for (const auto& [id, text] : articles) {
      if (v1::Article article; announced_ && article.ParseFromString(text)) announced_(site->name, id, article);
    }
    const MutexLock lock(mutex_);
    for (const auto& [id, text] : articles) known_.erase(NameOf(*site, id));
  }
  ++writes_;
  if (auto status = co_await store_.WritePublications(HomeOf(*site), site->name, published); !status.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
  }
  ++writes_;
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<bool>> ArticleCatalog::PutFromPage(std::shared_ptr<const Site> site,
                                                                  v1::Article article) {
  if (auto status = Check(article, 0); !status.ok()) co_return status;
  const auto away = [](const absl::Status& status) {
    return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
  };
  const std::string id = article.article_id();
  const std::vector<std::string_view> ids = {id};
  const Shard shard = ShardOf(ArticleHash(site->seed, id));
  const auto before = co_await store_.ReadArticles(shard, site->name, ids);
  if (!before.ok()) co_return away(before.status());
  if (before->front()) co_return false;
  article.clear_article_id();
  article.clear_hidden_from_lists();
  article.set_announced_by_page(true);
  CompleteSection(article);
  std::map<std::string, std::optional<int64_t>> published = {{id, PublishTimeOf(article)}};
  const std::string text = article.SerializeAsString();
  auto status = co_await store_.WritePageArticle(shard, site->name, id, text);
  if (!status.ok()) co_return away(status);
  status = co_await store_.WritePublications(HomeOf(*site), site->name, published);
  // The portal may have announced the article meanwhile. Then its time of publication is the valid one.
  const auto after = co_await store_.ReadArticles(shard, site->name, ids);
  if (v1::Article portal; after.ok() && after->front() && portal.ParseFromString(*after->front())) {
    published[id] = PublishTimeOf(portal);
    status.Update(co_await store_.WritePublications(HomeOf(*site), site->name, published));
  }
  {
    const MutexLock lock(mutex_);
    known_.erase(NameOf(*site, id));
  }
  ++writes_;
  if (!status.ok()) co_return away(status);
  co_return true;
}

asio::awaitable<std::vector<std::optional<std::string>>> ArticleCatalog::ReadPages(
    const Site& site, Shard shard, const std::vector<std::string_view>& ids,
    const std::vector<std::optional<std::string>>& texts) {
  std::vector<std::string_view> missing;
  std::vector<size_t> places;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (texts[i]) continue;
    missing.push_back(ids[i]);
    places.push_back(i);
  }
  std::vector<std::optional<std::string>> result(ids.size());
  const auto pages = co_await store_.ReadPageArticles(shard, site.name, missing);
  // Without these, the articles are shown by their IDs.
  if (!pages.ok() || pages->size() != missing.size()) co_return result;
  for (size_t i = 0; i < missing.size(); ++i) result[places[i]] = (*pages)[i];
  co_return result;
}

asio::awaitable<absl::StatusOr<std::vector<Publication>>> ArticleCatalog::ReadPublications(
    std::shared_ptr<const Site> site, PublicationRange range) {
  co_return co_await store_.ReadPublications(HomeOf(*site), site->name, range);
}

std::string ArticleCatalog::NameOf(const Site& site, std::string_view id) {
  // No site's name contains a slash.
  std::string name = site.name;
  name += '/';
  return name += id;
}

std::optional<std::vector<ArticleDetails>> ArticleCatalog::FindDetails(const Site& site,
                                                                       std::span<const std::string_view> ids) {
  const SteadyTime not_before = clock_.Now() - limits::kArticleDetailsAge;
  std::vector<ArticleDetails> details;
  details.reserve(ids.size());
  const MutexLock lock(mutex_);
  for (const std::string_view id : ids) {
    const auto found = known_.find(NameOf(site, id));
    if (found == known_.end() || found->second.read_at < not_before) return std::nullopt;
    details.push_back(found->second.details);
  }
  return details;
}

asio::awaitable<ArticleCatalog::Details> ArticleCatalog::ReadDetailsSince(SteadyTime not_before,
                                                                          std::shared_ptr<const Site> site,
                                                                          std::vector<std::string_view> ids) {
  const SteadyTime now = clock_.Now();
  Details result{.articles = std::vector<ArticleDetails>(ids.size()), .complete = true};
  std::map<Shard, Missing> missing;
  {
    const MutexLock lock(mutex_);
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto found = known_.find(NameOf(*site, ids[i]));
      const bool known = found != known_.end();
      if (known) result.articles[i] = found->second.details;
      if (known && found->second.read_at > not_before) continue;
      Missing& of = missing[ShardOf(ArticleHash(site->seed, ids[i]))];
      of.ids.push_back(ids[i]);
      of.places.push_back(i);
      of.never_read |= !known;
    }
  }
  WaitGroup reads(co_await asio::this_coro::executor);
  for (const auto& [shard, asked] : missing) reads.Spawn(ReadShard(*site, shard, asked, now, result));
  co_await reads.Wait();
  co_return result;
}

asio::awaitable<void> ArticleCatalog::ReadShard(const Site& site, Shard shard, const Missing& asked, SteadyTime now,
                                                Details& result) {
  auto texts = co_await store_.ReadArticles(shard, site.name, asked.ids);
  if (!texts.ok() || texts->size() != asked.ids.size()) {
    if (asked.never_read) result.complete = false;
    co_return;
  }
  const bool has_all = std::ranges::all_of(*texts, [](const auto& text) { return text.has_value(); });
  if (site.settings.page_announcements && !has_all) {
    auto pages = co_await ReadPages(site, shard, asked.ids, *texts);
    for (size_t i = 0; i < pages.size(); ++i) {
      if (pages[i]) (*texts)[i] = std::move(pages[i]);
    }
  }
  const MutexLock lock(mutex_);
  if (known_.size() + asked.ids.size() > limits::kArticleDetailsMax) known_.clear();
  for (size_t i = 0; i < asked.ids.size(); ++i) {
    ArticleDetails& details = result.articles[asked.places[i]];
    details = nullptr;
    auto article = std::make_shared<v1::Article>();
    if ((*texts)[i] && article->ParseFromString(*(*texts)[i])) {
      CompleteSection(*article);
      if (!IsTime(article->publish_time())) article->clear_publish_time();
      details = std::move(article);
    }
    known_[NameOf(site, asked.ids[i])] = {.details = details, .read_at = now};
  }
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
