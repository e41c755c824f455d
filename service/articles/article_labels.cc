#include "service/articles/article_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Other work goes on after this many IDs.
constexpr size_t kLabelStep = 4'096;

// Calls `each` for every label of an article. An article may name a label twice.
template <typename Each>
void ForEachLabel(const v1::Article& article, const Each& each) {
  for (const std::string& text : article.sections()) each(ArticleLabel{ArticleLabel::Kind::kSection, text});
  for (const std::string& text : article.authors()) each(ArticleLabel{ArticleLabel::Kind::kAuthor, text});
  for (const std::string& text : article.tags()) each(ArticleLabel{ArticleLabel::Kind::kTag, text});
}

}  // namespace

ArticleLabels::ArticleLabels(SiteStore& store, ArticleCatalog& catalog, const Clock& clock)
    : store_(store), catalog_(catalog), clock_(clock) {
  catalog_.Listen(
      [this](const std::string& site, const std::string& id, const v1::Article& article) { Hear(site, id, article); });
}

void ArticleLabels::Hear(const std::string& site, const std::string& id, const v1::Article& article) {
  const auto of = sites_.find(site);
  if (of == sites_.end() || (of->second.last == nullptr && of->second.running == nullptr)) return;
  Announcement announcement{.number = ++announcements_, .labels = {}};
  ForEachLabel(article, [&](ArticleLabel label) { announcement.labels.insert(std::move(label)); });
  of->second.announced[id] = std::move(announcement);
  if (of->second.announced.size() <= kLabelAnnouncementsMax) return;
  if (of->second.running != nullptr) of->second.running->dropped = true;
  of->second = {};
}

bool ArticleLabels::IsUsable(const Flight& flight) const {
  const auto age = clock_.Now() - flight.begun_at;
  return age <= std::max<std::chrono::nanoseconds>(kLabelAgeMin, kLabelReadShare * flight.took);
}

asio::awaitable<absl::StatusOr<std::vector<std::string>>> ArticleLabels::Find(std::shared_ptr<const Site> site,
                                                                              ArticleLabel label) {
  const auto index = co_await Obtain(*site);
  if (!index.ok()) co_return index.status();
  // Whether the articles that were announced since have the label.
  std::map<std::string, bool, std::less<>> announced;
  for (const auto& [id, announcement] : sites_[site->name].announced) {
    announced.emplace(id, announcement.labels.contains(label));
  }
  const auto executor = co_await asio::this_coro::executor;
  size_t steps = 0;
  boost::unordered_flat_set<std::string_view> labelled;
  for (const auto& [id, has_label] : announced) {
    if (has_label && site->Resolve(id) == id) labelled.insert(id);
  }
  if (const auto found = (*index)->articles.find(label); found != (*index)->articles.end()) {
    for (const uint32_t place : found->second) {
      if (++steps % kLabelStep == 0) co_await asio::post(executor, asio::use_awaitable);
      const std::string& id = (*index)->ids[place];
      // Otherwise its views are counted for another article, whose own labels decide.
      if (site->Resolve(id) == id && !announced.contains(id)) labelled.insert(id);
    }
  }
  std::vector<std::string> ids(labelled.begin(), labelled.end());
  // While articles are being merged, some of their views are still stored for the alias. Afterwards it has none.
  for (const auto& [from, alias] : site->alias_entries()) {
    if (++steps % kLabelStep == 0) co_await asio::post(executor, asio::use_awaitable);
    const std::string_view into = site->Resolve(from);
    if (into != from && labelled.contains(into)) ids.push_back(from);
  }
  co_return ids;
}

asio::awaitable<ArticleLabels::Read> ArticleLabels::Obtain(const Site& site) {
  const std::string name = site.name;
  OfSite& of = sites_[name];
  if (of.last != nullptr && IsUsable(*of.last)) co_return *of.last->result;
  if (of.running != nullptr) {
    const std::shared_ptr<Flight> flight = of.running;
    while (!flight->result) co_await flight->landed.Wait();
    if (flight->dropped) co_return co_await Obtain(site);
    co_return *flight->result;
  }
  const auto executor = co_await asio::this_coro::executor;
  const auto flight = std::make_shared<Flight>(executor);
  of.running = flight;
  flight->announcements = announcements_;
  flight->begun_at = clock_.Now();
  Read read = co_await ReadAll(site);
  flight->took = clock_.Now() - flight->begun_at;
  flight->result = read;
  flight->landed.NotifyAll();
  if (flight->dropped) co_return co_await Obtain(site);
  of.running = nullptr;
  std::erase_if(of.announced, [&](const auto& one) { return one.second.number <= flight->announcements; });
  if (read.ok() || absl::IsResourceExhausted(read.status())) of.last = flight;
  MakeRoom(name);
  co_return read;
}

asio::awaitable<ArticleLabels::Read> ArticleLabels::ReadAll(const Site& site) {
  const auto index = std::make_shared<Index>();
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
        ForEachLabel(article, [&](ArticleLabel label) {
          std::vector<uint32_t>& places = index->articles[std::move(label)];
          if (places.empty() || places.back() != place) places.push_back(place);
        });
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
  co_return index;
}

void ArticleLabels::MakeRoom(const std::string& site) {
  const auto articles_of = [](const OfSite& of) {
    return of.last != nullptr && of.last->result->ok() ? (**of.last->result)->ids.size() : 0;
  };
  size_t articles = 0;
  for (const auto& [name, of] : sites_) articles += articles_of(of);
  while (articles > kLabelledArticlesMax) {
    OfSite* oldest = nullptr;
    for (auto& [name, of] : sites_) {
      if (name == site || articles_of(of) == 0) continue;
      if (oldest == nullptr || of.last->begun_at < oldest->last->begun_at) oldest = &of;
    }
    if (oldest == nullptr) return;
    articles -= articles_of(*oldest);
    oldest->last = nullptr;
    // A read that is under way needs the announcements since it began.
    if (oldest->running == nullptr) oldest->announced.clear();
  }
}

}  // namespace viewcount
