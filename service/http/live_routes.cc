#include "service/http/live_routes.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "service/base/limits.h"
#include "service/http/asked_parameters.h"
#include "service/http/live_json.h"
#include "service/http/on_store.h"
#include "service/query/asked_articles.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::awaitable;

// The time that browsers wait before they reconnect, in milliseconds.
constexpr char kRetry[] = "retry: 3000\n\n";
constexpr char kHeartbeat[] = ":\n\n";

// Wakes a reader from any thread. The reader may already be destroyed by then.
class Bell {
 public:
  explicit Bell(const asio::any_io_executor& executor) : timer_(executor) {}

  // Waits for a ring for at most `patience`. Returns false if there was none. Call on the server's thread.
  awaitable<bool> Wait(std::chrono::milliseconds patience) {
    if (!rung_) {
      timer_.expires_after(patience);
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return std::exchange(rung_, false);
  }
  // Call on the server's thread.
  void Ring() {
    rung_ = true;
    timer_.cancel();
  }
  // Rings the bell on its own thread. Thread-safe.
  static void RingFrom(const std::shared_ptr<Bell>& bell) {
    asio::post(bell->timer_.get_executor(), [bell] { bell->Ring(); });
  }

 private:
  asio::steady_timer timer_;
  bool rung_ = false;
};

class LiveCounts final : public EventSource {
 public:
  LiveCounts(std::shared_ptr<Bell> bell, std::shared_ptr<CountWatcher::Subscription> subscription, AskedArticles asked,
             OnlineReaders::Stay stay)
      : bell_(std::move(bell)),
        subscription_(std::move(subscription)),
        asked_(std::move(asked)),
        stay_(std::move(stay)) {}

  awaitable<std::optional<std::string>> Next() override {
    if (!begun_) {
      begun_ = true;
      co_return kRetry;
    }
    while (!closed_ && !subscription_->ended()) {
      v1::WatchCountsResponse message;
      std::string id;
      if (subscription_->Take(message, id)) {
        asked_.Complete(message, std::exchange(first_, false));
        std::string event = "id: " + id + "\ndata: ";
        AppendJson(message, event);
        event += "\n\n";
        co_return event;
      }
      if (!co_await bell_->Wait(limits::kHttpEventsHeartbeat) && !closed_) co_return kHeartbeat;
    }
    co_return std::nullopt;
  }

  void Close() override {
    closed_ = true;
    bell_->Ring();
  }

 private:
  const std::shared_ptr<Bell> bell_;
  const std::shared_ptr<CountWatcher::Subscription> subscription_;
  const AskedArticles asked_;
  const OnlineReaders::Stay stay_;
  bool begun_ = false;
  bool first_ = true;
  bool closed_ = false;
};

// Begins the stay of the person who asks for the stream.
OnlineReaders::Stay StayOf(const LiveRouteDependencies& parts, const HttpRequest& request,
                           const std::shared_ptr<const Site>& site, std::string_view session) {
  const Client client = parts.trust.Find(request, request.peer);
  const Visitor visitor = parts.visitors.Find(request, client, *site, session);
  return visitor.bot || visitor.rejected ? OnlineReaders::Stay() : parts.online.Enter(site, visitor.viewer);
}

awaitable<absl::StatusOr<HttpResponse>> Open(const LiveRouteDependencies& parts, const HttpRequest& request,
                                             std::shared_ptr<const Site> site) {
  const auto parameters = Parameters::Parse(request.target());
  if (!parameters.ok()) co_return parameters.status();
  const std::string session = parameters->Find("session").value_or("");
  if (auto status = CheckSession(*site, session); !status.ok()) co_return status;
  HttpResponse response;
  response.set(http::field::content_type, "text/event-stream");
  response.set(http::field::cache_control, "no-store");
  // Makes nginx forward events without buffering.
  response.set("X-Accel-Buffering", "no");
  if (request.method() != http::verb::get) co_return response;
  auto bell = std::make_shared<Bell>(co_await asio::this_coro::executor);
  // The function has a name: g++ 12 destroys a temporary closure of a co_await expression twice, and would free the
  // bell too early.
  std::function<void()> ring = [bell] { Bell::RingFrom(bell); };
  const std::string last_event(request["Last-Event-ID"]);
  v1::WatchCountsRequest question;
  AddAsked(*parameters, question);
  AskedArticles asked(*site, question);
  auto subscription =
      co_await OnStore(parts.store, parts.watcher.Subscribe(site, asked.ids(), last_event, std::move(ring)));
  if (!subscription.ok()) co_return subscription.status();
  response.events = std::make_unique<LiveCounts>(std::move(bell), *std::move(subscription), std::move(asked),
                                                 StayOf(parts, request, site, session));
  co_return response;
}

awaitable<std::optional<v1::WatchCountsResponse>> ReadFirst(CountWatcher& watcher, asio::any_io_executor store,
                                                            std::shared_ptr<const Site> site,
                                                            const v1::WatchCountsRequest& request) {
  const AskedArticles asked(*site, request);
  std::function<void()> ring = [] {};
  const auto subscription =
      co_await OnStore(store, watcher.Subscribe(std::move(site), asked.ids(), "", std::move(ring)));
  v1::WatchCountsResponse counts;
  std::string event_id;
  if (!subscription.ok() || !(*subscription)->Take(counts, event_id)) co_return std::nullopt;
  asked.Complete(counts, true);
  co_return counts;
}

}  // namespace

FirstCounts FirstCountsOf(CountWatcher& watcher, asio::any_io_executor store) {
  return [&watcher, store = std::move(store)](std::shared_ptr<const Site> site, const v1::WatchCountsRequest& request) {
    return ReadFirst(watcher, store, std::move(site), request);
  };
}

void AddLiveRoutes(SiteRoutes& routes, const LiveRouteDependencies& parts) {
  routes.Add(http::verb::get, "/live",
             [parts](const HttpRequest& request, std::shared_ptr<const Site> site) {
               return Open(parts, request, std::move(site));
             },
             {.parameters = {"article", "address", "canonical", "session"}});
}

}  // namespace viewcount
