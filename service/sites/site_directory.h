// All sites this process knows. The store holds them for good; this is their copy for every batch and query.
#pragma once

#include <absl/status/status.h>

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "service/sites/site.h"

namespace viewcount {

// Told of a site's new settings before any batch is admitted under them.
class SiteListener {
 public:
  virtual ~SiteListener() = default;
  virtual void SiteChanged(std::shared_ptr<const Site> site) = 0;
};

// Thread safe. Sites are added and changed, never removed, so an index stays valid.
class SiteDirectory {
 public:
  // Tells `listener` of every site, one at a time: those that are there, and each change from now on. It must outlive
  // the directory's use.
  void Listen(SiteListener& listener);

  // Null if unknown.
  std::shared_ptr<const Site> Find(std::string_view name) const;
  // What to answer about a site of that name, which Find does not know: NOT_FOUND, or UNAVAILABLE with RetryInfo as
  // long as there may be sites that are not known here.
  absl::Status Unknown(std::string_view name) const;
  // Whether the store has sites that are not known here, because it was not read yet. Not so at first.
  void SetIncomplete(bool incomplete) { incomplete_ = incomplete; }
  // The site of a valid index.
  std::shared_ptr<const Site> At(SiteIndex index) const;
  // By name.
  std::vector<std::shared_ptr<const Site>> All() const;

  // Adds `site` or takes over its new settings, of aliases the younger ones; tells the listeners if anything changed.
  // Returns whether it is new. RESOURCE_EXHAUSTED beyond limits::kSitesMax.
  absl::StatusOr<bool> Put(Site site);

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };

  std::atomic<bool> incomplete_ = false;
  // Held over a whole change, listeners included.
  std::mutex change_mutex_;
  std::vector<SiteListener*> listeners_;
  mutable std::shared_mutex mutex_;
  boost::unordered_flat_map<std::string, SiteIndex, NameHash, std::equal_to<>> by_name_;
  std::vector<std::shared_ptr<const Site>> sites_;
};

}  // namespace viewcount
