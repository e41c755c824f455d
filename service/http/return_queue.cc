#include "service/http/return_queue.h"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <utility>

namespace viewcount {

namespace asio = boost::asio;

ReturnQueue& ReturnQueue::Of(const asio::any_io_executor& executor) {
  asio::execution_context& context = asio::query(executor, asio::execution::context);
  return asio::use_service<ReturnQueue>(context);
}

ReturnQueue::ReturnQueue(asio::execution_context& context)
    : service(context), executor_(static_cast<asio::io_context&>(context).get_executor()) {}

void ReturnQueue::Put(Item& item) {
  Item* last = last_.load(std::memory_order_relaxed);
  do {
    item.next_ = last;
  } while (!last_.compare_exchange_weak(last, &item, std::memory_order_release, std::memory_order_relaxed));
  // Whoever put the first one has woken the thread; it has not taken anything since.
  if (last == nullptr) asio::post(executor_, [this] { ReturnAll(); });
}

void ReturnQueue::ReturnAll() {
  Item* item = TakeAll();
  while (item != nullptr) std::exchange(item, item->next_)->Return();
}

void ReturnQueue::shutdown() {
  Item* item = TakeAll();
  while (item != nullptr) std::exchange(item, item->next_)->Abandon();
}

ReturnQueue::Item* ReturnQueue::TakeAll() {
  Item* item = last_.exchange(nullptr, std::memory_order_acquire);
  Item* first = nullptr;
  while (item != nullptr) {
    Item* const before = std::exchange(item->next_, first);
    first = std::exchange(item, before);
  }
  return first;
}

}  // namespace viewcount
