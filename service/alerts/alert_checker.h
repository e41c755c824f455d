// Checks all alerts once a minute, and has their messages sent.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "service/alerts/alert_reader.h"
#include "service/alerts/alert_state.h"
#include "service/alerts/alert_text.h"
#include "service/alerts/webhook_sender.h"
#include "service/articles/article_catalog.h"
#include "service/base/clock.h"
#include "service/base/log_throttle.h"
#include "service/metrics/metrics.h"
#include "service/sites/site_directory.h"
#include "service/store/alert_store.h"

namespace viewcount {

// Used on the store's executor. The objects that it refers to must outlive it. Stop the sender before this is
// destroyed, since it calls back.
//
// Nothing is decided without exact views: while the store is away, alerts neither fire nor resolve.
class AlertChecker {
 public:
  struct Dependencies {
    const SiteDirectory& sites;
    AlertStore& store;
    AlertReader& reader;
    ArticleCatalog& catalog;
    WebhookSender& sender;
    const Clock& clock;
    Metrics& metrics;
  };
  AlertChecker(const boost::asio::any_io_executor& executor, const Dependencies& parts)
      : parts_(parts), executor_(executor), timer_(executor), random_(std::random_device()()) {}

  // Checks all alerts at every full minute, and those of CheckSoon at once, until Stop.
  boost::asio::awaitable<void> Run();
  void Stop();
  // Has an alert checked at once.
  void CheckSoon(const AlertKey& key);
  // Checks all alerts, or with `only` those in it.
  boost::asio::awaitable<void> Check(const std::set<AlertKey>* only);

  // Returns the problem of an alert's last check or message. Empty without one.
  std::string ProblemOf(const AlertKey& key) const;
  void Forget(const AlertKey& key);

  // Makes a message with the present numbers. The numbers of a condition are left out if they cannot be read; for a
  // digest that is an error.
  boost::asio::awaitable<absl::StatusOr<AlertEvent>> MakeEvent(std::shared_ptr<const Site> site, v1::Alert alert,
                                                               AlertState state, bool is_test);
  // Has a message sent. Returns false if too many messages wait.
  bool Send(const AlertEvent& event, int attempts_max, std::function<void(const WebhookOutcome&)> done);

 private:
  // An alert with its state as the store holds it.
  struct Checked {
    AlertKey key;
    std::shared_ptr<const Site> site;
    v1::Alert alert;
    std::string stored;
    AlertState state;
  };

  boost::asio::awaitable<void> CheckOne(Checked checked);
  // Decides whether something changes. Returns the next state with its message; the present state if nothing changes.
  boost::asio::awaitable<absl::StatusOr<AlertState>> Decide(const Checked& checked, int64_t now_unix_ms,
                                                            std::optional<HoursViews>& views);
  // Returns whether this instance has sent that message already. So two instances whose clocks differ by days do not
  // send one after the other without end.
  bool HasSent(const Checked& checked, const AlertState& next) const;
  // Returns whether a message of the alert is over, of which the store does not know that yet.
  bool IsFinished(const AlertKey& key) const;
  // Takes the message of a state, so that no other instance does, and has it sent.
  boost::asio::awaitable<void> TakeAndSend(const Checked& checked, const AlertState& next,
                                           std::optional<HoursViews> views);
  // Notes that a message was sent or given up. A young one for which all attempts failed stays taken, so that it is
  // sent again when its lease has ended. Called on the executor.
  void Finish(const AlertKey& key, const std::string& stored, const AlertState& state, const WebhookOutcome& outcome);
  // Writes the states of finished messages to the store. Those that it does not take stay for the next time.
  boost::asio::awaitable<void> WriteFinished();
  void NoteFailure(const AlertKey& key, const absl::Status& status);

  // A message that is over, of which the store does not know that yet.
  struct Finished {
    AlertKey key;
    std::string stored;
    std::string next;
  };

  // The last message that this instance took.
  struct LastTaken {
    std::string revision;
    uint32_t digest_day = 0;
    SteadyTime at;
  };

  const Dependencies parts_;
  const boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  std::minstd_rand random_;
  bool stopped_ = false;
  // True if Run has something to do before the next minute.
  bool woken_ = false;
  std::set<AlertKey> soon_;
  std::vector<Finished> finished_;
  std::map<AlertKey, LastTaken> last_taken_;
  std::map<AlertKey, std::string> check_problems_;
  std::map<AlertKey, std::string> message_problems_;
  LogThrottle failure_lines_;
};

}  // namespace viewcount
