// All sites that this process knows. The store holds them permanently. This is a copy in memory for every batch and
// query.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/mutex.h"
#include "service/sites/site.h"

namespace viewcount {

// Receives a site's new settings before any batch is admitted under them.
class SiteListener {
 public:
  virtual ~SiteListener() = default;
  virtual void SiteChanged(std::shared_ptr<const Site> site) = 0;
};

// Thread-safe. Sites are added and changed, but never removed, so an index stays valid.
class SiteDirectory {
 public:
  // Reports every site to `listener`, one at a time: first those that exist, and then each change. The listener must
  // outlive the use of the directory.
  void Listen(SiteListener& listener);

  // Returns the site of that name, or null if it is unknown.
  std::shared_ptr<const Site> Find(std::string_view name) const;
  // Returns the error for a site that Find does not know. It is NOT_FOUND, or UNAVAILABLE with RetryInfo while there
  // may be sites that are not known here.
  absl::Status Unknown(std::string_view name) const;
  // Sets whether the store may have sites that are not known here, because it was not read yet. False at first.
  void SetIncomplete(bool incomplete) { incomplete_ = incomplete; }
  // Returns the site of an index. The index must be valid.
  std::shared_ptr<const Site> At(SiteIndex index) const;
  // Returns all sites, sorted by name.
  std::vector<std::shared_ptr<const Site>> All() const;

  // Adds `site`, or applies its new settings. Newer alias entries replace older ones. Calls the listeners if
  // anything changed. Returns true if the site is new. Returns RESOURCE_EXHAUSTED beyond limits::kSitesMax.
  absl::StatusOr<bool> Put(Site site);

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };

  size_t Count() const;

  std::atomic<bool> incomplete_ = false;
  // Held during a whole change, including the calls of listeners.
  Mutex change_mutex_;
  std::vector<SiteListener*> listeners_ ABSL_GUARDED_BY(change_mutex_);
  mutable SharedMutex mutex_;
  boost::unordered_flat_map<std::string, SiteIndex, NameHash, std::equal_to<>> by_name_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<const Site>> sites_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace viewcount
