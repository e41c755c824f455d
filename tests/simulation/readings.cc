// Reads counts as callers do, and checks what must hold at all times.
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "tests/simulation/violation.h"
#include "tests/simulation/world.h"

namespace viewcount::simulation {
namespace asio = boost::asio;

void World::Read() {
  if (Slot* const slot = AnyUp()) {
    With(*slot, [&](Process&) { StartReading(*slot); });
  }
}

void World::StartReading(Slot& slot) {
  const auto first = static_cast<uint32_t>(random_.Below(truth_.articles().size()));
  const uint32_t site = truth_.articles()[first].site;
  std::vector<uint32_t> articles = {first};
  while (random_.Half()) {
    const auto more = static_cast<uint32_t>(random_.Below(truth_.articles().size()));
    if (truth_.articles()[more].site == site) articles.push_back(more);
  }
  Process& process = *slot.process;
  auto reading = ReadArticles(slot, process.sites().Find(Truth::SiteName(site)), std::move(articles));
  asio::co_spawn(process.context(), std::move(reading), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

asio::awaitable<void> World::ReadArticles(Slot& slot, std::shared_ptr<const Site> site,
                                          std::vector<uint32_t> articles) {
  std::vector<std::string> ids;
  std::vector<Sums> least;
  for (const uint32_t article : articles) {
    ids.push_back(truth_.articles()[article].id);
    least.push_back(truth_.AcknowledgedBy(IndexOf(slot), article));
  }
  const std::vector<std::string_view> asked(ids.begin(), ids.end());
  if (const auto cached = slot.process->reader().ReadCached(site, asked)) {
    trace_.Note("known already");
    CheckAnswer(*cached, articles, least);
  }
  const auto counts = co_await slot.process->reader().Read(site, ids);
  if (counts.ok() && counts->exact) CheckAnswer(*counts, articles, least);
}

void World::CheckAnswer(const Counts& counts, const std::vector<uint32_t>& articles, const std::vector<Sums>& least) {
  for (size_t i = 0; i < articles.size(); ++i) {
    const Article& article = truth_.articles()[articles[i]];
    const ArticleTotals& told = counts.totals[i];
    const Sums most = truth_.Sent(articles[i]);
    const uint64_t lost = MostLostIn(article.shard);
    trace_.Note("read", articles[i], told.views, told.bot_views);
    if (told.views > most.views || told.bot_views > most.bot_views) {
      throw Violation{fmt::format("{} has {} views and {} of bots, but only {} and {} were sent", article.id,
                                  told.views, told.bot_views, most.views, most.bot_views)};
    }
    if (told.views + lost < least[i].views || told.bot_views + lost < least[i].bot_views) {
      throw Violation{fmt::format("{} has {} views and {} of bots ({} lost), but {} and {} were acknowledged",
                                  article.id, told.views, told.bot_views, lost, least[i].views, least[i].bot_views)};
    }
  }
}

void World::NoteLosses() {
  for (uint32_t i = 0; i < limits::kShards; ++i) most_lost_[i] = MostLostIn(Shard{static_cast<uint8_t>(i)});
}

void World::CheckStored(const SentBatch& batch) {
  const Slot& slot = slots_[batch.machine];
  for (size_t lane = 0; lane < slot.process->lanes(); ++lane) {
    if (!slot.process->KnowsStore(lane)) return;
    // The flusher may not have noticed yet that the store went back.
    if (went_back_ && slot.process->flushing(lane)) return;
  }
  std::map<uint32_t, Sums> found;
  for (const SentView& view : batch.views) found[view.article];
  store_.ForEachHash([&](Shard, const std::string& site, Window window, const auto& articles, uint64_t) {
    for (auto& [index, sums] : found) {
      const Article& article = truth_.articles()[index];
      if (site != Truth::SiteName(article.site)) continue;
      const auto count = articles.find(article.id);
      if (count == articles.end()) continue;
      if (window.kind == Window::Kind::kAllTime) sums.views = count->second;
      if (window.kind == Window::Kind::kBots) sums.bot_views = count->second;
    }
  });
  for (const auto& [index, sums] : found) {
    const Sums least = truth_.StoredBy(batch.machine, index);
    const Article& article = truth_.articles()[index];
    const uint64_t lost = MostLostIn(article.shard);
    if (sums.views + lost < least.views || sums.bot_views + lost < least.bot_views) {
      throw Violation{fmt::format("{} was acknowledged as stored, but the store has {} and {} of {} and {}", article.id,
                                  sums.views, sums.bot_views, least.views, least.bot_views)};
    }
  }
}

void World::CheckAudit() {
  if (metrics_.audit_differences.Value() != 0) throw Violation{"a flusher's own audit found a difference"};
  if (metrics_.lost_views.Value() != 0 && !went_back_) throw Violation{"views were given up for no reason"};
}

}  // namespace viewcount::simulation
