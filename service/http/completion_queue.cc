#include "service/http/completion_queue.h"

#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

namespace viewcount {

namespace asio = boost::asio;

CompletionQueue& CompletionQueue::Of(const asio::any_io_executor& executor) {
  asio::execution_context& context = asio::query(executor, asio::execution::context);
  return asio::use_service<CompletionQueue>(context);
}

CompletionQueue::CompletionQueue(asio::execution_context& context)
    : service(context), executor_(static_cast<asio::io_context&>(context).get_executor()) {}

void CompletionQueue::Put(Item& item) {
  if (items_.Put(item)) asio::post(executor_, [this] { ReturnAll(); });
}

void CompletionQueue::ReturnAll() {
  items_.TakeAll([](Item& item) { item.Return(); });
}

void CompletionQueue::shutdown() {
  items_.TakeAll([](Item& item) { item.Abandon(); });
}

}  // namespace viewcount
