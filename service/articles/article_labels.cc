#include "service/articles/article_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

bool ArticleLabels::IsUsable(const Index& index) const {
  const auto age = clock_.Now() - index.begun_at;
  return index.writes == catalog_.writes() &&
         age <= std::max<std::chrono::nanoseconds>(kLabelAgeMin, kLabelReadShare * index.took);
}

asio::awaitable<absl::StatusOr<std::vector<std::string>>> ArticleLabels::Find(std::shared_ptr<const Site> site,
                                                                              ArticleLabel label) {
  const auto index = co_await Obtain(*site);
  if (!index.ok()) co_return index.status();
  std::vector<std::string> ids;
  const auto found = (*index)->articles.find(label);
  if (found == (*index)->articles.end()) co_return ids;
  for (const uint32_t place : found->second) {
    const std::string& id = (*index)->ids[place];
    // Its views are counted for another article, whose own labels decide.
    if (site->Resolve(id) == id) ids.push_back(id);
  }
  co_return ids;
}

asio::awaitable<ArticleLabels::Read> ArticleLabels::Obtain(const Site& site) {
  const std::string name = site.name;
  if (const auto known = indexes_.find(name); known != indexes_.end() && IsUsable(*known->second)) {
    co_return known->second;
  }
  // A read that began before the last announcement may lack it.
  if (const auto found = flights_.find(name); found != flights_.end() && found->second->writes == catalog_.writes()) {
    const std::shared_ptr<Flight> flight = found->second;
    while (!flight->result) co_await flight->landed.Wait();
    co_return *flight->result;
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto flight = std::make_shared<Flight>(executor);
  flight->writes = catalog_.writes();
  flights_[name] = flight;
  Read read = co_await ReadAll(site);
  if (read.ok()) Keep(name, *read);
  if (const auto own = flights_.find(name); own != flights_.end() && own->second == flight) flights_.erase(own);
  flight->result = read;
  flight->landed.NotifyAll();
  co_return read;
}

asio::awaitable<ArticleLabels::Read> ArticleLabels::ReadAll(const Site& site) {
  const auto index = std::make_shared<Index>();
  index->writes = catalog_.writes();
  index->begun_at = clock_.Now();
  for (uint8_t shard = 0; shard < limits::kShards; ++shard) {
    // A scan may return an article twice.
    boost::unordered_flat_set<std::string> seen;
    std::string cursor;
    do {
      auto scan = co_await store_.ScanArticleTexts(Shard{shard}, site.name, cursor);
      if (!scan.ok()) {
        co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(scan.status().message()), limits::kRetryDelay);
      }
      for (TextScan::Text& text : scan->texts) {
        v1::Article article;
        if (!article.ParseFromString(text.text) || !seen.insert(text.article_id).second) continue;
        CompleteSection(article);
        const auto place = static_cast<uint32_t>(index->ids.size());
        const auto add = [&](ArticleLabel::Kind kind, const google::protobuf::RepeatedPtrField<std::string>& labels) {
          for (const std::string& label : labels) {
            std::vector<uint32_t>& places = index->articles[{kind, label}];
            // An article may name a label twice.
            if (places.empty() || places.back() != place) places.push_back(place);
          }
        };
        add(ArticleLabel::Kind::kSection, article.sections());
        add(ArticleLabel::Kind::kAuthor, article.authors());
        add(ArticleLabel::Kind::kTag, article.tags());
        index->ids.push_back(std::move(text.article_id));
      }
      if (index->ids.size() > kLabelledArticlesMax) {
        co_return absl::ResourceExhaustedError(fmt::format(
            "the site has more than {} announced articles, which are too many to find those of a section, an "
            "author or a tag",
            kLabelledArticlesMax));
      }
      cursor = std::move(scan->cursor);
    } while (!cursor.empty());
  }
  index->took = clock_.Now() - index->begun_at;
  co_return index;
}

void ArticleLabels::Keep(const std::string& site, std::shared_ptr<const Index> index) {
  indexes_[site] = std::move(index);
  size_t articles = 0;
  for (const auto& [name, kept] : indexes_) articles += kept->ids.size();
  while (articles > kLabelledArticlesMax && indexes_.size() > 1) {
    auto oldest = indexes_.end();
    for (auto at = indexes_.begin(); at != indexes_.end(); ++at) {
      if (at->first == site) continue;
      if (oldest == indexes_.end() || at->second->begun_at < oldest->second->begun_at) oldest = at;
    }
    articles -= oldest->second->ids.size();
    indexes_.erase(oldest);
  }
}

}  // namespace viewcount
