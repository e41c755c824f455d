// Returns items from other threads to the thread of an io_context. Items that accumulate cause only one wake-up.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

#include "service/base/mpsc_queue.h"

namespace viewcount {

// Owned by its io_context, which must be run by one thread. Put is thread-safe.
class CompletionQueue final : public boost::asio::execution_context::service {
 public:
  // A wait for the work of another thread. The waiting object owns it, and it must live until Return or Abandon is
  // called.
  class Item : public MpscQueue<Item>::Link {
   public:
    virtual ~Item() = default;
    // Reports that the work is done. Called on the thread of the io_context. May destroy the item.
    virtual void Return() = 0;
    // Reports that the io_context ends, so Return will not be called. May destroy the item.
    virtual void Abandon() = 0;
  };

  using key_type = CompletionQueue;
  static inline boost::asio::execution_context::id id;

  // Returns the queue of the io_context that `executor` belongs to.
  static CompletionQueue& Of(const boost::asio::any_io_executor& executor);
  // For use_service only.
  explicit CompletionQueue(boost::asio::execution_context& context);

  // Schedules the call of item.Return. Items return in the order of Put. Must not be called after the end of the
  // io_context.
  void Put(Item& item);

 private:
  void shutdown() override;
  void ReturnAll();

  const boost::asio::io_context::executor_type executor_;
  MpscQueue<Item> items_;
};

}  // namespace viewcount
