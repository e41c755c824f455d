// What other threads hand back to the thread of an io_context: all that gathers costs one wake-up.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

#include "service/base/handover_list.h"

namespace viewcount {

// Belongs to its io_context, which must be run by one thread. Put is thread safe.
class ReturnQueue final : public boost::asio::execution_context::service {
 public:
  // Waits for something that another thread does. Owned by whoever waits, and must live until either function is
  // called.
  class Item : public HandoverList<Item>::Link {
   public:
    virtual ~Item() = default;
    // It is done. On the thread of the io_context; may destroy the item.
    virtual void Return() = 0;
    // Nobody will be told: the io_context ends. May destroy the item.
    virtual void Abandon() = 0;
  };

  using key_type = ReturnQueue;
  static inline boost::asio::execution_context::id id;

  // The one of the io_context behind `executor`.
  static ReturnQueue& Of(const boost::asio::any_io_executor& executor);
  // For use_service only.
  explicit ReturnQueue(boost::asio::execution_context& context);

  // Has item.Return called soon, in the order of calls. Not after the io_context's end.
  void Put(Item& item);

 private:
  void shutdown() override;
  void ReturnAll();

  const boost::asio::io_context::executor_type executor_;
  HandoverList<Item> items_;
};

}  // namespace viewcount
