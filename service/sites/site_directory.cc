#include "service/sites/site_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {

void SiteDirectory::Listen(SiteListener& listener) {
  const MutexLock change(change_mutex_);
  for (const auto& site : All()) listener.SiteChanged(site);
  listeners_.push_back(&listener);
}

std::shared_ptr<const Site> SiteDirectory::Find(std::string_view name) const {
  const ReaderLock lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : sites_[found->second.value];
}

absl::Status SiteDirectory::Unknown(std::string_view name) const {
  if (!incomplete_) return UnknownSite(name);
  return RetryLater(absl::StatusCode::kUnavailable,
                    fmt::format("site \"{}\" is not known here, and Redis, which may know it, has not come yet", name),
                    limits::kRetryDelay);
}

std::shared_ptr<const Site> SiteDirectory::At(SiteIndex index) const {
  const ReaderLock lock(mutex_);
  return sites_.at(index.value);
}

std::vector<std::shared_ptr<const Site>> SiteDirectory::All() const {
  std::vector<std::shared_ptr<const Site>> all;
  {
    const ReaderLock lock(mutex_);
    all = sites_;
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a->name < b->name; });
  return all;
}

size_t SiteDirectory::Count() const {
  const ReaderLock lock(mutex_);
  return sites_.size();
}

absl::StatusOr<bool> SiteDirectory::Put(Site site) {
  const MutexLock change(change_mutex_);
  const auto known = Find(site.name);
  if (known != nullptr) {
    AliasEntries before = known->alias_entries();
    AliasEntries after = Newest(before, site.alias_entries());
    if (known->settings == site.settings && after == before) return false;
    site.SetAliases(std::move(after));
  }
  const size_t count = Count();
  if (known == nullptr && count >= limits::kSitesMax) {
    return absl::ResourceExhaustedError("there are as many sites as one data set may have (10,000)");
  }
  site.index = known != nullptr ? known->index : SiteIndex{static_cast<uint32_t>(count)};
  auto shared = std::make_shared<const Site>(std::move(site));
  for (SiteListener* listener : listeners_) listener->SiteChanged(shared);
  const MutexLock lock(mutex_);
  if (known != nullptr) {
    sites_[shared->index.value] = shared;
  } else {
    by_name_.emplace(shared->name, shared->index);
    sites_.push_back(shared);
  }
  return known == nullptr;
}

}  // namespace viewcount
