#include "service/lane/folding.h"

#include <utility>

namespace viewcount {

void Folding::ApplySite(std::shared_ptr<const Site> site) {
  const uint32_t index = site->index.value;
  if (sites_.size() <= index) sites_.resize(index + 1);
  const SiteCalendar calendar(site->days);
  const uint64_t hash = ArticleHash(site->seed, "");
  sites_[index].emplace(SiteState{.site = std::move(site), .calendar = calendar, .hash = hash, .slot = {}});
}

std::shared_ptr<const Site> Folding::Find(SiteIndex site) const {
  return site.value < sites_.size() && sites_[site.value] ? sites_[site.value]->site : nullptr;
}

std::vector<std::shared_ptr<const Site>> Folding::sites() const {
  std::vector<std::shared_ptr<const Site>> sites;
  for (const auto& state : sites_) {
    if (state) sites.push_back(state->site);
  }
  return sites;
}

void Folding::ForgetChunks() {
  for (auto& state : sites_) {
    if (state) state->chunk = nullptr;
  }
}

}  // namespace viewcount
