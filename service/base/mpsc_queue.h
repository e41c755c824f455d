// A lock-free list through which many threads hand items over to one thread. It allocates no memory, because the items
// link to one another.
#pragma once

#include <atomic>
#include <utility>

namespace viewcount {

// A list of items, in the order of Put. It owns nothing: an item must live until it is taken. `Item` derives from
// MpscQueue<Item>::Link. Put is thread-safe; TakeAll is called by one thread at a time.
template <typename Item>
class MpscQueue {
 public:
  // The base of an item. An item is in at most one list at a time.
  class Link {
    friend class MpscQueue;
    Item* next_ = nullptr;
  };

  MpscQueue() = default;
  MpscQueue(const MpscQueue&) = delete;
  MpscQueue& operator=(const MpscQueue&) = delete;

  // Appends `item`. Returns true if the list was empty. The caller that gets true must wake the consumer, and thereby
  // wakes it for all items that are put before the next TakeAll. Thread-safe.
  bool Put(Item& item) {
    Item* last = last_.load(std::memory_order_relaxed);
    do {
      item.next_ = last;
    } while (!last_.compare_exchange_weak(last, &item, std::memory_order_release, std::memory_order_relaxed));
    return last == nullptr;
  }

  // Empties the list, then calls `visit(item)` for each item in the order in which they were put. `visit` may destroy
  // the item, or put it again for the next TakeAll. One thread at a time.
  template <typename Visit>
  void TakeAll(Visit visit) {
    Item* item = last_.exchange(nullptr, std::memory_order_acquire);
    Item* first = nullptr;
    while (item != nullptr) {
      Item* const before = std::exchange(item->next_, first);
      first = std::exchange(item, before);
    }
    while (first != nullptr) visit(*std::exchange(first, first->next_));
  }

 private:
  // The item that was put last. It links to those that were put before it.
  std::atomic<Item*> last_{nullptr};
};

}  // namespace viewcount
