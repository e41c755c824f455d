#include "service/flush/chunk_plan.h"

#include <algorithm>
#include <utility>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/planted_bug.h"
#include "service/flush/part_builder.h"
#include "service/store/viewer_set.h"

namespace viewcount {
namespace {

// How many articles ahead memory is prefetched.
constexpr size_t kFetchedAhead = 8;

// Returns eight bytes of a text as a number. The first byte is the highest, so numbers have the order of the texts. A
// short text is filled with zeros.
uint64_t BytesAt(std::string_view text, size_t at) {
  std::array<unsigned char, sizeof(uint64_t)> bytes{};
  text.substr(at).copy(reinterpret_cast<char*>(bytes.data()), bytes.size());
  uint64_t number = 0;
  for (const unsigned char byte : bytes) number = number << 8 | byte;
  return number;
}

}  // namespace

ChunkPlan::ChunkPlan(SealedChunk sealed, const SiteDirectory& sites, Options options)
    : chunk_(std::move(sealed.chunk)), of_(sealed.shards), options_(options) {
  for (uint32_t i = 0; i < chunk_->articles().size(); ++i) {
    const Chunk::Article& article = chunk_->articles()[i];
    const Shard shard = ShardOf(article.hash);
    if (!of_.Has(shard)) continue;
    shards_[shard.value].push_back(i);
    const uint32_t site = article.site.value;
    if (sites_.size() <= site) sites_.resize(site + 1);
    if (sites_[site] == nullptr) sites_[site] = sites.At(article.site);
  }
  NoteViewers(sites);
  std::vector<uint32_t> by_name;
  for (uint32_t i = 0; i < sites_.size(); ++i) {
    if (sites_[i] != nullptr) by_name.push_back(i);
  }
  std::sort(by_name.begin(), by_name.end(),
            [this](uint32_t a, uint32_t b) { return sites_[a]->name < sites_[b]->name; });
  site_ranks_.resize(sites_.size());
  for (uint32_t rank = 0; rank < by_name.size(); ++rank) site_ranks_[by_name[rank]] = rank;
}

void ChunkPlan::NoteViewers(const SiteDirectory& sites) {
  if (chunk_->article_viewers().empty() && chunk_->site_viewers().empty()) return;
  // A site can have viewers in the chunk although none of its articles is in these shards.
  for (const Chunk::Bucket& bucket : chunk_->buckets()) {
    if (sites_.size() <= bucket.site.value) sites_.resize(bucket.site.value + 1);
    if (sites_[bucket.site.value] == nullptr) sites_[bucket.site.value] = sites.At(bucket.site);
  }
  viewers_.emplace(*chunk_, sites_, options_.now_unix_ms);
}

bool ChunkPlan::IsFinished(Shard shard, const Cursor& cursor) const {
  return !of_.Has(shard) || cursor.applied_to() >= chunk_->to();
}

bool ChunkPlan::IsFinished(const Ledger::LockedView& still) const {
  bool finished = true;
  of_.ForEach([&](Shard shard) { finished = finished && IsFinished(shard, still.CursorOf(shard)); });
  return finished;
}

bool ChunkPlan::Leads(Shard shard, const Cursor& before, const Cursor& after) const {
  const auto is_within = [&](const Cursor& cursor) {
    if (cursor.in_middle()) return cursor.from() == chunk_->from() && cursor.to() == chunk_->to();
    return cursor.to() == chunk_->from() || cursor.to() == chunk_->to();
  };
  return of_.Has(shard) && is_within(before) && is_within(after);
}

ArticleKey ChunkPlan::KeyOf(uint32_t article) const {
  const Chunk::Article& entry = chunk_->articles()[article];
  return {sites_[entry.site.value]->name, entry.id};
}

// Sorts articles by key. The keys are scattered over the chunk's memory, and the IDs of a portal usually begin alike.
// So articles are compared by the first eight bytes after the common beginning of all IDs. These bytes are read once.
// The whole keys are compared only where the bytes are equal.
void ChunkPlan::Sort(std::vector<uint32_t>& articles) const {
  struct Entry {
    uint32_t site_rank = 0;
    uint32_t article = 0;
    uint64_t beginning = 0;
  };
  const size_t common = CommonBytes(articles);
  std::vector<Entry> entries;
  entries.reserve(articles.size());
  for (const uint32_t article : articles) {
    const Chunk::Article& entry = chunk_->articles()[article];
    entries.push_back({site_ranks_[entry.site.value], article, BytesAt(entry.id, common)});
  }
  std::sort(entries.begin(), entries.end(), [this](const Entry& a, const Entry& b) {
    if (a.site_rank != b.site_rank) return a.site_rank < b.site_rank;
    if (a.beginning != b.beginning) return a.beginning < b.beginning;
    return KeyOf(a.article) < KeyOf(b.article);
  });
  std::transform(entries.begin(), entries.end(), articles.begin(), [](const Entry& entry) { return entry.article; });
}

// Prefetches an article that comes a few places after the one at `at`.
void ChunkPlan::FetchAhead(std::span<const uint32_t> articles, size_t at) const {
  if (at + kFetchedAhead >= articles.size()) return;
  ArticleRecords::Prefetch(&chunk_->articles()[articles[at + kFetchedAhead]]);
}

// Returns the length of the common beginning of all IDs.
size_t ChunkPlan::CommonBytes(std::span<const uint32_t> articles) const {
  if (articles.empty()) return 0;
  std::string_view common = chunk_->articles()[articles.front()].id;
  for (size_t i = 0; i < articles.size(); ++i) {
    FetchAhead(articles, i);
    const std::string_view id = chunk_->articles()[articles[i]].id;
    common = {common.begin(), std::mismatch(common.begin(), common.end(), id.begin(), id.end()).first};
  }
  return common.size();
}

std::span<const uint32_t> ChunkPlan::Sorted(Shard shard) {
  auto& articles = shards_[shard.value];
  if (!sorted_[shard.value]) {
    Sort(articles);
    sorted_[shard.value] = true;
  }
  return articles;
}

size_t ChunkPlan::CoveredBy(Shard shard, const Cursor& cursor) {
  const auto articles = Sorted(shard);
  const auto first_uncovered = std::partition_point(
      articles.begin(), articles.end(), [&](uint32_t article) { return cursor.Covers(chunk_->to(), KeyOf(article)); });
  return first_uncovered - articles.begin();
}

std::span<const uint32_t> ChunkPlan::Between(Shard shard, const Cursor& before, const Cursor& after) {
  const size_t begin = CoveredBy(shard, before);
  const size_t end = CoveredBy(shard, after);
  VIEWCOUNT_CHECK(begin <= end);
  return Sorted(shard).subspan(begin, end - begin);
}

// Returns approximately how many fields a part writes for the article: its total, and a day and an hour (or bots) for
// each of its deltas. Adjustments and notes count too.
size_t ChunkPlan::FieldsOf(const Chunk::Article& article) const {
  size_t fields = 1;
  chunk_->ForEachDelta(article, [&](const Chunk::Delta&) { fields += 2; });
  if (const Chunk::Adjusted* adjusted = chunk_->AdjustedOf(article)) {
    fields += adjusted->changes.size() + adjusted->notes.size();
  }
  return fields;
}

PlannedPart ChunkPlan::NextPart(Shard shard, const Cursor& cursor, const LaneIdentity& lane) {
  const auto articles = Sorted(shard);
  const size_t begin = CoveredBy(shard, cursor);
  PlannedPart planned;
  PartBuilder builder(*chunk_, sites_, options_.now_unix_ms);
  size_t end = begin;
  size_t fields = 0;
  while (end < articles.size() && end - begin < options_.articles_max) {
    FetchAhead(articles, end);
    const Chunk::Article& article = chunk_->articles()[articles[end]];
    fields += FieldsOf(article);
    if (end > begin && fields > limits::kFlushPartFieldsMax) break;
    planned.views += builder.Add(article);
    ++end;
  }
  planned.articles = articles.subspan(begin, end - begin);
  planned.part = {.shard = shard,
                  .lane = lane.id,
                  .incarnation = lane.incarnation,
                  .expected = cursor,
                  .next = end == articles.size() ? Cursor::End(chunk_->to())
                                                 : Cursor::Middle(cursor.applied_to(), chunk_->to(),
                                                                  KeyOf(articles[end - 1]), chunk_->to()),
                  .hashes = builder.Take(),
                  .lost = 0,
                  .notes = builder.TakeNotes()};
  // Viewers go with the first part, so they are in the store whenever the cursor has passed that part.
  if (viewers_ && !cursor.in_middle()) planned.part.viewers = viewers_->Of(shard);
  if (Planted(PlantedBug::kDropPart) && cursor.in_middle()) planned.part.hashes.clear();
  return planned;
}

}  // namespace viewcount
