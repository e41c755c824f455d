// The viewers who have a stream of live counts open. They count as online as long as it is open, although they view no
// further page.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "service/base/clock.h"
#include "service/base/mutex.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

// Adds the viewers to the site's set of those online, at every limits::kOnlineNoteInterval. The view of a page adds its
// viewer, too, so the first minute of a stream changes nothing. The numbers are estimates, so a write that fails is
// only made up for by the next one.
//
// Enter and the destructor of Stay may be called from any thread, the other functions on the store's executor. It has
// one entry of some 60 bytes for each stream.
class OnlineReaders {
 public:
  OnlineReaders(const boost::asio::any_io_executor& executor, CountStore& store, const Clock& clock)
      : store_(store), clock_(clock), timer_(executor) {}

  // The time in which a viewer has a stream open. Must not outlive the object that returned it.
  class Stay {
   public:
    Stay() = default;
    ~Stay() {
      if (owner_ != nullptr) owner_->Leave(site_, viewer_);
    }
    Stay(Stay&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), site_(std::move(other.site_)), viewer_(other.viewer_) {}
    Stay& operator=(Stay&& other) noexcept {
      std::swap(owner_, other.owner_);
      std::swap(site_, other.site_);
      std::swap(viewer_, other.viewer_);
      return *this;
    }

   private:
    friend class OnlineReaders;
    Stay(OnlineReaders& owner, std::shared_ptr<const Site> site, uint64_t viewer)
        : owner_(&owner), site_(std::move(site)), viewer_(viewer) {}

    OnlineReaders* owner_ = nullptr;
    std::shared_ptr<const Site> site_;
    uint64_t viewer_ = 0;
  };

  // Begins the stay of a viewer, who may have several streams open at once. Viewer 0 is unknown and does not count.
  Stay Enter(std::shared_ptr<const Site> site, uint64_t viewer) ABSL_LOCKS_EXCLUDED(mutex_);

  // Adds those present to their sites' sets. Returns the first error of the store; the other sites are written all the
  // same.
  boost::asio::awaitable<absl::Status> Note() ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls Note at every interval until Stop.
  boost::asio::awaitable<void> Run();
  void Stop();

 private:
  struct Present {
    std::shared_ptr<const Site> site;
    // The number of streams of each viewer.
    std::map<uint64_t, uint32_t> viewers;
  };

  void Leave(const std::shared_ptr<const Site>& site, uint64_t viewer) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::pair<std::shared_ptr<const Site>, std::vector<uint64_t>>> Read() ABSL_LOCKS_EXCLUDED(mutex_);

  CountStore& store_;
  const Clock& clock_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
  Mutex mutex_;
  // By the site's index.
  std::map<uint32_t, Present> sites_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace viewcount
