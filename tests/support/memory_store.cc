#include "tests/support/memory_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/planted_bug.h"
#include "service/base/status.h"
#include "service/store/redis/keys.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

bool IsExpected(const Cursor& stored, const Cursor& expected) {
  if (Planted(PlantedBug::kCompareCursorGreater)) return stored <= expected;
  return stored == expected;
}

constexpr auto kMax = static_cast<int64_t>(limits::kCountMax);

// The values that a hash will have for the articles of one delta.
struct Plan {
  // The new total of each article, by the article's index. Empty if the article is left out.
  std::vector<std::optional<int64_t>> totals;
  // The new sum. Empty if the whole hash is left out.
  std::optional<int64_t> sum;
};

// Returns the sum of both numbers if it is in the range of a count.
std::optional<int64_t> Plus(int64_t count, int64_t add) {
  const int64_t sum = count + add;
  if (sum < -kMax || sum > kMax) return std::nullopt;
  return sum;
}

bool IsOfAllTime(Window window) { return window.kind == Window::Kind::kAllTime || window.kind == Window::Kind::kBots; }

// Computes the plan for one delta. `count_of(article)` returns the present count in the hash.
template <typename CountOf>
Plan MakePlan(const HashDelta& delta, int64_t sum, CountOf count_of) {
  Plan plan;
  plan.totals.reserve(delta.deltas.size());
  int64_t added = 0;
  for (const ArticleDelta& article : delta.deltas) {
    const int64_t count = article.article_id.empty() ? 0 : count_of(article.article_id);
    // An adjustment of the site itself changes only the sum, because the site has no article count.
    const auto total = article.article_id.empty() ? std::optional<int64_t>(0) : Plus(count, article.views);
    plan.totals.push_back(total);
    if (total) added += article.views;
    if (added > kMax || added < -kMax) return plan;
  }
  plan.sum = Plus(sum, added);
  return plan;
}

}  // namespace

MemoryStore::MemoryStore(Options options) : options_(options), nodes_(options.nodes) {}

void MemoryStore::Begin(uint32_t node) {
  auto& writes = nodes_[node].writes;
  if (writes.size() == options_.history) writes.pop_front();
  write_ = &writes.emplace_back();
}

template <typename Map>
void MemoryStore::Put(Map& map, const typename Map::key_type& key, std::optional<typename Map::mapped_type> value) {
  const auto at = map.find(key);
  if (at == map.end()) {
    if (!value) return;
    write_->push_back(Entry<Map>{&map, key, std::nullopt});
    map.emplace(key, *std::move(value));
    return;
  }
  write_->push_back(Entry<Map>{&map, key, std::move(at->second)});
  if (value) {
    at->second = *std::move(value);
  } else {
    map.erase(at);
  }
}

template <typename Value>
void MemoryStore::Put(Value& variable, const Value& value) {
  write_->push_back(Variable<Value>{&variable, variable});
  variable = value;
}

absl::Status MemoryStore::Refusal() { return absl::PermissionDeniedError("a command was refused"); }

void MemoryStore::Tear(Shard shard, const LaneId& lane) {
  ShardState& state = shards_[shard.value];
  const auto entry = state.lanes.find(lane);
  auto undo = std::make_shared<UndoLog>();
  undo->lane = lane;
  if (entry != state.lanes.end()) undo->next = entry->second;
  const size_t kept = std::min(tear_after_, write_->size() - 1);
  while (write_->size() > kept) {
    std::visit([](auto& place) { place.PutBack(); }, write_->back());
    write_->pop_back();
  }
  undo->half = *write_;
  if (kept > 0) Put<std::shared_ptr<const UndoLog>>(state.undo, std::move(undo));
}

void MemoryStore::Restore(Shard shard) {
  ShardState& state = shards_[shard.value];
  if (state.undo == nullptr) return;
  const std::shared_ptr<const UndoLog> undo = state.undo;
  Begin(NodeOf(shard));
  if (Planted(PlantedBug::kTakeTornAsApplied)) {
    Put(state.lanes, undo->lane, undo->next);
  } else {
    for (auto at = undo->half.rbegin(); at != undo->half.rend(); ++at) {
      std::visit([this](const auto& place) { PutBefore(place); }, *at);
    }
  }
  Put<std::shared_ptr<const UndoLog>>(state.undo, nullptr);
}

size_t MemoryStore::Rollback(uint32_t node, size_t writes) {
  auto& log = nodes_[node].writes;
  const size_t count = std::min(writes, log.size());
  for (size_t i = 0; i < count; ++i) {
    for (auto undo = log.back().rbegin(); undo != log.back().rend(); ++undo) {
      std::visit([](auto& place) { place.PutBack(); }, *undo);
    }
    log.pop_back();
  }
  write_ = nullptr;
  Restart();
  return count;
}

void MemoryStore::Empty() {
  shards_ = {};
  sites_.clear();
  salts_.clear();
  for (Node& node : nodes_) node.writes.clear();
  write_ = nullptr;
  Restart();
}

LaneTotals MemoryStore::TotalsOf(Shard shard) const {
  LaneTotals sum = shards_[shard.value].retired;
  for (const auto& [lane, totals] : shards_[shard.value].totals) {
    sum.views += totals.views;
    sum.set_aside += totals.set_aside;
    sum.adjusted += totals.adjusted;
    sum.lost += totals.lost;
  }
  return sum;
}

asio::awaitable<absl::StatusOr<Claimed>> MemoryStore::Claim(Shard shard, const LaneIdentity& lane) {
  Restore(shard);
  ShardState& state = shards_[shard.value];
  Claimed claimed;
  if (const auto totals = state.totals.find(lane.id); totals != state.totals.end()) claimed.totals = totals->second;
  if (const auto entry = state.lanes.find(lane.id); entry != state.lanes.end()) {
    const auto& [incarnation, cursor] = entry->second;
    if (incarnation != lane.incarnation &&
        std::find(lane.earlier.begin(), lane.earlier.end(), incarnation) == lane.earlier.end()) {
      co_return ErrorWithReason(absl::StatusCode::kAborted, "the lane is used by another process", "FENCED",
                                {{"cursor", cursor.ToString()}});
    }
    claimed.cursor = cursor;
    claimed.known = true;
  }
  Begin(NodeOf(shard));
  Put(state.lanes, lane.id, LaneEntry{lane.incarnation, claimed.cursor});
  co_return claimed;
}

asio::awaitable<absl::StatusOr<StoredLane>> MemoryStore::ReadLane(Shard shard, const LaneId& lane) {
  Restore(shard);
  const ShardState& state = shards_[shard.value];
  StoredLane stored;
  if (const auto totals = state.totals.find(lane); totals != state.totals.end()) stored.totals = totals->second;
  if (const auto entry = state.lanes.find(lane); entry != state.lanes.end()) stored.entry = entry->second;
  co_return stored;
}

asio::awaitable<absl::Status> MemoryStore::AddViewers(Shard shard, const std::vector<ViewerSet>& sets) {
  if (!sets.empty()) Begin(NodeOf(shard));
  for (const ViewerSet& set : sets) {
    const std::string name = keys::Viewers(shard, set.site, set.name);
    for (const uint64_t viewer : set.viewers) Put(shards_[shard.value].viewers, {name, viewer}, true);
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<ApplyResult>> MemoryStore::Apply(const Part& part) {
  ShardState& state = shards_[part.shard.value];
  if (auto status = co_await AddViewers(part.shard, part.viewers); !status.ok()) co_return status;
  const Next next = std::exchange(next_, Next::kGood);
  if (!Planted(PlantedBug::kApplyToTornShard)) Restore(part.shard);
  ApplyResult result;
  const auto entry = state.lanes.find(part.lane);
  if (entry == state.lanes.end()) co_return result;
  if (entry->second.incarnation != part.incarnation || !IsExpected(entry->second.cursor, part.expected)) {
    result.stored = fmt::format("{} {}", ToHex(entry->second.incarnation), entry->second.cursor.ToString());
    co_return result;
  }
  if (next == Next::kRefused) co_return Refusal();
  result.applied = true;
  Begin(NodeOf(part.shard));
  LaneTotals& stored_totals = state.totals[part.lane];
  LaneTotals totals = stored_totals;
  totals.lost += part.lost;
  for (const bool adjustment : {false, true}) {
    for (const HashDelta& delta : part.hashes) {
      if (delta.adjustment == adjustment) ApplyHash(part, delta, totals, result);
    }
  }
  if (totals != stored_totals) Put(stored_totals, totals);
  if (std::ranges::any_of(part.hashes, &HashDelta::adjustment)) Put(state.adjusted_parts, state.adjusted_parts + 1);
  for (const Note& note : part.notes) {
    Put(state.notes[std::string(note.site)], std::string(note.field), std::string(note.text));
  }
  Put(state.lanes, part.lane, LaneEntry{part.incarnation, part.next});
  if (next == Next::kTorn) {
    Tear(part.shard, part.lane);
    co_return Refusal();
  }
  co_return result;
}

void MemoryStore::ApplyHash(const Part& part, const HashDelta& delta, LaneTotals& totals, ApplyResult& result) {
  Hash& hash = shards_[part.shard.value].hashes[{std::string(delta.site), delta.window}];
  const Plan plan = MakePlan(delta, hash.sum, [&](std::string_view id) {
    const auto at = hash.articles.find(id);
    return at == hash.articles.end() ? 0 : at->second;
  });
  const bool of_all_time = IsOfAllTime(delta.window);
  for (size_t i = 0; i < delta.deltas.size(); ++i) {
    const auto& [article_id, views] = delta.deltas[i];
    VIEWCOUNT_CHECK(delta.adjustment || (views > 0 && !article_id.empty()));
    if (of_all_time && !delta.adjustment) totals.views += static_cast<uint64_t>(views);
    if (!plan.sum || !plan.totals[i]) {
      result.set_aside.push_back(
          {keys::Counts(part.shard, delta.site, delta.window), std::string(article_id), views, delta.adjustment});
      if (of_all_time && !delta.adjustment) totals.set_aside += static_cast<uint64_t>(views);
      continue;
    }
    if (of_all_time && delta.adjustment) totals.adjusted += views;
    if (article_id.empty()) continue;
    const int64_t total = *plan.totals[i];
    Put(hash.articles, std::string(article_id), total == 0 ? std::nullopt : std::optional(total));
  }
  if (plan.sum && *plan.sum != hash.sum) Put(hash.sum, *plan.sum);
}

asio::awaitable<absl::Status> MemoryStore::RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) {
  const Next next = std::exchange(next_, Next::kGood);
  ShardState& state = shards_[shard.value];
  Restore(shard);
  if (!lanes.empty() && next == Next::kRefused) co_return Refusal();
  for (const LaneId& lane : lanes) {
    Begin(NodeOf(shard));
    LaneTotals retired = state.retired;
    LaneTotals& totals = state.totals[lane];
    retired.views += totals.views;
    retired.set_aside += totals.set_aside;
    retired.adjusted += totals.adjusted;
    retired.lost += totals.lost;
    Put(totals, LaneTotals());
    Put(state.retired, retired);
    Put(state.lanes, lane, std::nullopt);
    if (next == Next::kTorn) {
      Tear(shard, lane);
      co_return Refusal();
    }
  }
  co_return absl::OkStatus();
}

std::vector<std::optional<LaneEntry>> MemoryStore::EntriesOf(Shard shard, const std::vector<LaneId>& lanes) const {
  const Lanes& stored = shards_[shard.value].lanes;
  std::vector<std::optional<LaneEntry>> entries;
  for (const LaneId& lane : lanes) {
    const auto entry = stored.find(lane);
    entries.push_back(entry == stored.end() ? std::nullopt : std::optional(entry->second));
  }
  return entries;
}

const MemoryStore::Hash* MemoryStore::Find(Shard shard, std::string_view site, Window window) const {
  const auto& hashes = shards_[shard.value].hashes;
  const auto at = hashes.find({std::string(site), window});
  return at == hashes.end() ? nullptr : &at->second;
}

asio::awaitable<absl::StatusOr<ShardCounts>> MemoryStore::ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                     std::string_view site,
                                                                     const std::vector<Window>& windows,
                                                                     const std::vector<std::string_view>& ids) {
  if (!Planted(PlantedBug::kReadTornShard)) Restore(shard);
  ShardCounts result;
  result.lanes = EntriesOf(shard, lanes);
  for (const Window& window : windows) {
    auto& counts = result.counts.emplace_back(ids.size());
    if (window.kind == Window::Kind::kViewers) {
      for (size_t i = 0; i < ids.size(); ++i) {
        const std::vector<ViewerSetName> sets = {{.kind = ViewerSetName::Kind::kArticle, .article_id = ids[i]}};
        counts[i] = static_cast<int64_t>(CountViewers(shard, site, sets));
      }
      continue;
    }
    const Hash* hash = Find(shard, site, window);
    if (hash == nullptr) continue;
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto at = hash->articles.find(ids[i]);
      if (at != hash->articles.end()) counts[i] = at->second;
      if (ids[i].empty()) counts[i] = hash->sum;
    }
  }
  co_return result;
}

uint64_t MemoryStore::CountViewers(Shard shard, std::string_view site, const std::vector<ViewerSetName>& sets) const {
  const Viewers& stored = shards_[shard.value].viewers;
  std::set<uint64_t> viewers;
  for (const ViewerSetName& set : sets) {
    const std::string name = keys::Viewers(shard, site, set);
    for (auto at = stored.lower_bound({name, 0}); at != stored.end() && at->first.first == name; ++at)
      viewers.insert(at->first.second);
  }
  return viewers.size();
}

asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> MemoryStore::EstimateViewers(
    Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) {
  std::vector<uint64_t> counts;
  for (const auto& sets : unions) counts.push_back(CountViewers(shard, site, sets));
  co_return counts;
}

Ranking MemoryStore::RankingOf(const Hash& hash, size_t places) {
  Ranking ranking;
  for (const auto& [id, views] : hash.articles) ranking.articles.push_back({id, views});
  const size_t ranked = std::min(places, ranking.articles.size());
  std::partial_sort(ranking.articles.begin(), ranking.articles.begin() + static_cast<ptrdiff_t>(ranked),
                    ranking.articles.end(), [](const RankedCount& one, const RankedCount& other) {
                      return one.views != other.views ? one.views > other.views : one.article_id < other.article_id;
                    });
  ranking.articles.resize(ranked);
  if (ranked < places) return ranking;
  ranking.unlisted_views_max = static_cast<uint64_t>(std::max<int64_t>(1, ranking.articles.back().views));
  return ranking;
}

asio::awaitable<absl::StatusOr<ShardWindows>> MemoryStore::ReadWindows(Shard shard, const std::vector<LaneId>& lanes,
                                                                       std::string_view site,
                                                                       const std::vector<WindowRead>& reads) {
  Restore(shard);
  ShardWindows result;
  result.lanes = EntriesOf(shard, lanes);
  for (const WindowRead& read : reads) {
    WindowState& state = result.windows.emplace_back();
    state.version.adjusted_parts = shards_[shard.value].adjusted_parts;
    state.counts.resize(read.ids.size());
    const Hash* hash = Find(shard, site, read.window);
    if (hash == nullptr) continue;
    state.version.sum = hash->sum;
    for (size_t i = 0; i < read.ids.size(); ++i) {
      const auto at = hash->articles.find(read.ids[i]);
      if (at != hash->articles.end()) state.counts[i] = at->second;
    }
    const size_t places = std::min<size_t>(options_.ranked.Of(read.window.kind), read.places);
    if (places > 0) state.ranking = RankingOf(*hash, places);
  }
  co_return result;
}

asio::awaitable<absl::StatusOr<ArticleScan>> MemoryStore::ScanArticles(Shard shard, std::string_view site,
                                                                       Window window, std::string_view cursor) {
  constexpr size_t kStep = 3;
  ArticleScan scan;
  const auto& hashes = shards_[shard.value].hashes;
  const auto hash = hashes.find({std::string(site), window});
  if (hash == hashes.end()) co_return scan;
  // Cursors are the last listed article, after a mark that distinguishes the first step.
  const auto& articles = hash->second.articles;
  auto at = cursor.empty() ? articles.begin() : articles.upper_bound(cursor.substr(1));
  for (; at != articles.end() && scan.ids.size() < kStep; ++at) scan.ids.push_back(at->first);
  if (at != articles.end()) scan.cursor = "." + scan.ids.back();
  co_return scan;
}

asio::awaitable<absl::StatusOr<std::set<Window>>> MemoryStore::ListWindows(std::string_view site) {
  std::set<Window> windows;
  for (const ShardState& state : shards_) {
    for (const auto& [name, hash] : state.hashes) {
      if (name.first == site && (hash.sum != 0 || !hash.articles.empty())) windows.insert(name.second);
    }
  }
  co_return windows;
}

asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> MemoryStore::ReadNotes(Shard shard, std::string_view site) {
  Restore(shard);
  std::vector<StoredNote> result;
  const auto& notes = shards_[shard.value].notes;
  if (const auto of_site = notes.find(site); of_site != notes.end()) {
    for (const auto& [field, text] : of_site->second) result.push_back({field, text});
  }
  co_return result;
}

asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> MemoryStore::ReadSites() {
  std::vector<StoredSite> result;
  for (const auto& [name, line] : sites_) {
    const auto aliases = aliases_.find(name);
    result.push_back({name, ParseSettings(line), aliases == aliases_.end() ? AliasEntries() : aliases->second});
  }
  co_return result;
}

asio::awaitable<absl::Status> MemoryStore::WriteSite(const StoredSite& site) {
  Begin(0);
  Put(sites_, site.name, EncodeSettings(site.settings));
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<bool>> MemoryStore::SwapSite(const StoredSite& site, const SiteSettings& expected) {
  const auto stored = sites_.find(site.name);
  if (stored == sites_.end() || stored->second != EncodeSettings(expected)) co_return false;
  Begin(0);
  Put(sites_, site.name, EncodeSettings(site.settings));
  co_return true;
}

asio::awaitable<absl::Status> MemoryStore::WriteArticles(Shard shard, std::string_view site,
                                                         const std::map<std::string, std::string>& articles) {
  Begin(NodeOf(shard));
  Texts& of_site = shards_[shard.value].articles[std::string(site)];
  for (const auto& [id, text] : articles) Put(of_site, id, text);
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> MemoryStore::ReadArticles(
    Shard shard, std::string_view site, const std::vector<std::string_view>& ids) {
  co_return Find(shards_[shard.value].articles, site, ids);
}

std::vector<std::optional<std::string>> MemoryStore::Find(const TextsOfSites& texts, std::string_view site,
                                                          const std::vector<std::string_view>& ids) {
  std::vector<std::optional<std::string>> result;
  const auto of_site = texts.find(site);
  for (const std::string_view id : ids) {
    auto& text = result.emplace_back();
    if (of_site == texts.end()) continue;
    if (const auto found = of_site->second.find(std::string(id)); found != of_site->second.end()) text = found->second;
  }
  return result;
}

asio::awaitable<absl::Status> MemoryStore::WritePageArticle(Shard shard, std::string_view site, std::string_view id,
                                                            std::string_view text) {
  Begin(NodeOf(shard));
  Put(shards_[shard.value].pages[std::string(site)], std::string(id), std::string(text));
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> MemoryStore::ReadPageArticles(
    Shard shard, std::string_view site, const std::vector<std::string_view>& ids) {
  co_return Find(shards_[shard.value].pages, site, ids);
}

asio::awaitable<absl::StatusOr<std::map<std::string, std::string>>> MemoryStore::ReadAnnotations(
    Shard shard, std::string_view site) {
  std::map<std::string, std::string> texts;
  const auto& annotations = shards_[shard.value].annotations;
  if (const auto of_site = annotations.find(site); of_site != annotations.end()) {
    texts.insert(of_site->second.begin(), of_site->second.end());
  }
  co_return texts;
}

asio::awaitable<absl::StatusOr<TextScan>> MemoryStore::ScanArticleTexts(Shard shard, std::string_view site,
                                                                        std::string_view cursor) {
  constexpr size_t kStep = 3;
  TextScan scan;
  const auto& articles = shards_[shard.value].articles;
  const auto of_site = articles.find(site);
  if (of_site == articles.end()) co_return scan;
  // Cursors are those of ScanArticles.
  auto at = cursor.empty() ? of_site->second.begin() : of_site->second.upper_bound(cursor.substr(1));
  for (; at != of_site->second.end() && scan.texts.size() < kStep; ++at) scan.texts.push_back({at->first, at->second});
  if (at != of_site->second.end()) scan.cursor = "." + scan.texts.back().article_id;
  co_return scan;
}

asio::awaitable<absl::Status> MemoryStore::WriteAnnotation(Shard shard, std::string_view site, std::string_view id,
                                                           std::string_view text) {
  Begin(NodeOf(shard));
  Put(shards_[shard.value].annotations[std::string(site)], std::string(id), std::string(text));
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<bool>> MemoryStore::RemoveAnnotation(Shard shard, std::string_view site,
                                                                    std::string_view id) {
  Begin(NodeOf(shard));
  Texts& of_site = shards_[shard.value].annotations[std::string(site)];
  const std::string key(id);
  const bool existed = of_site.contains(key);
  if (existed) Put(of_site, key, std::nullopt);
  co_return existed;
}

asio::awaitable<absl::Status> MemoryStore::WritePublications(
    Shard shard, std::string_view site, const std::map<std::string, std::optional<int64_t>>& articles) {
  Begin(NodeOf(shard));
  Numbers& of_site = shards_[shard.value].publications[std::string(site)];
  for (const auto& [id, unix_ms] : articles) Put(of_site, id, unix_ms);
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<std::vector<Publication>>> MemoryStore::ReadPublications(Shard shard,
                                                                                        std::string_view site,
                                                                                        const PublicationRange& range) {
  std::vector<Publication> found;
  const auto& publications = shards_[shard.value].publications;
  if (const auto of_site = publications.find(site); of_site != publications.end()) {
    for (const auto& [id, unix_ms] : of_site->second) {
      if (range.ascending ? unix_ms < range.unix_ms : unix_ms > range.unix_ms) continue;
      found.push_back({.unix_ms = unix_ms, .article_id = id});
    }
  }
  std::ranges::sort(found);
  if (!range.ascending) std::ranges::reverse(found);
  found.erase(found.begin(), found.begin() + static_cast<ptrdiff_t>(std::min(range.skipped, found.size())));
  if (found.size() > range.articles_max) found.resize(range.articles_max);
  co_return found;
}

asio::awaitable<absl::Status> MemoryStore::WriteAliases(std::string_view site, const AliasEntries& aliases) {
  Begin(0);
  AliasEntries& entries = aliases_[std::string(site)];
  for (const auto& [from, alias] : aliases) Put(entries, from, alias);
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<ViewerSalt>> MemoryStore::ObtainSalt(std::string_view site, uint32_t day,
                                                                    const ViewerSalt& fresh) {
  const std::pair<std::string, uint32_t> key{site, day};
  if (!salts_.contains(key)) {
    Begin(0);
    Put(salts_, key, fresh);
  }
  co_return salts_.at(key);
}

asio::awaitable<absl::Status> MemoryStore::RemoveSalts(const SiteDays& first_days) {
  std::vector<std::pair<std::string, uint32_t>> old;
  for (const auto& [key, salt] : salts_) {
    const auto first = first_days.find(key.first);
    if (first != first_days.end() && key.second < first->second) old.push_back(key);
  }
  if (!old.empty()) Begin(0);
  for (const auto& key : old) Put(salts_, key, std::nullopt);
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<std::set<StoredDay>>> MemoryStore::ListDaysBefore(const SiteDays& first_days) {
  std::set<StoredDay> days;
  ForEachHash([&](Shard, const std::string& site, Window window, const Numbers& articles, int64_t sum) {
    const auto first = first_days.find(site);
    const bool of_day = window.kind == Window::Kind::kDay || window.kind == Window::Kind::kVisitDay;
    if (!of_day || (articles.empty() && sum == 0) || first == first_days.end()) return;
    if (window.number < first->second) days.insert({site, window.number});
  });
  co_return days;
}

asio::awaitable<absl::Status> MemoryStore::RemoveDay(std::string_view site, uint32_t day) {
  for (uint8_t i = 0; i < limits::kShards; ++i) {
    ShardState& state = shards_[i];
    Restore(Shard{i});
    for (const auto kind : {Window::Kind::kDay, Window::Kind::kVisitDay}) {
      const auto hash = state.hashes.find({std::string(site), {kind, day}});
      if (hash != state.hashes.end()) hash->second = Hash();
    }
    const std::string name = keys::Viewers(Shard{i}, site, {.kind = ViewerSetName::Kind::kDay, .number = day});
    std::erase_if(state.viewers, [&](const auto& entry) { return entry.first.first == name; });
  }
  co_return absl::OkStatus();
}

}  // namespace viewcount
