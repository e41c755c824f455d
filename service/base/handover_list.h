// What many threads hand over to one, without a lock or an allocation: the items link one another.
#pragma once

#include <atomic>
#include <utility>

namespace viewcount {

// Owns nothing: an item must live until it is taken. `Item` derives from HandoverList<Item>::Link.
template <typename Item>
class HandoverList {
 public:
  // What makes an item part of a list, of one at a time.
  class Link {
    friend class HandoverList;
    Item* next_ = nullptr;
  };

  HandoverList() = default;
  HandoverList(const HandoverList&) = delete;
  HandoverList& operator=(const HandoverList&) = delete;

  // Any thread. Whether the list was empty: whoever found it so wakes the taker for all who come before it looks.
  bool Put(Item& item) {
    Item* last = last_.load(std::memory_order_relaxed);
    do {
      item.next_ = last;
    } while (!last_.compare_exchange_weak(last, &item, std::memory_order_release, std::memory_order_relaxed));
    return last == nullptr;
  }

  // One thread at a time. Empties the list, then calls `visit(item)` for each in the order they were put; that may
  // destroy the item, or put it again for the next time.
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
  // Put last; leads to those put before it.
  std::atomic<Item*> last_{nullptr};
};

}  // namespace viewcount
