#include "service/alerts/alert_api.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <utility>

#include "service/alerts/alert_limits.h"
#include "service/alerts/alert_settings.h"
#include "service/alerts/webhook_signature.h"
#include "service/base/async_event.h"
#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;

namespace {

absl::Status UnknownAlert(const std::string& site, const std::string& name) {
  return ErrorWithReason(absl::StatusCode::kNotFound, fmt::format("the site {} has no alert \"{}\"", site, name),
                         "UNKNOWN_ALERT");
}

// Converts an error of the store to one that callers may repeat.
absl::Status StoreError(const absl::Status& status) {
  if (!IsTransient(status)) return status;
  return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
}

// Checks that one more alert of the site has room.
absl::Status CheckRoom(const std::map<AlertKey, StoredAlert>& stored, const std::string& site) {
  size_t all = 0, of_site = 0;
  for (const auto& [key, entry] : stored) {
    if (entry.settings.empty()) continue;
    ++all;
    if (key.first == site) ++of_site;
  }
  if (of_site >= kAlertsPerSiteMax) {
    return absl::ResourceExhaustedError(fmt::format("the site {} has {} alerts, the maximum", site, of_site));
  }
  if (all >= kAlertsMax) return absl::ResourceExhaustedError(fmt::format("there are {} alerts, the maximum", all));
  return absl::OkStatus();
}

void Fill(const AlertState& state, const std::string& problem, v1::AlertState& message) {
  message.set_firing(state.firing);
  if (state.changed_unix_ms > 0) {
    *message.mutable_change_time() = TimeUtil::MillisecondsToTimestamp(state.changed_unix_ms);
  }
  if (state.message_unix_ms > 0) {
    *message.mutable_message_time() = TimeUtil::MillisecondsToTimestamp(state.message_unix_ms);
  }
  message.set_sending(state.sending != AlertMessage::kNone);
  message.set_problem(problem);
}

}  // namespace

asio::awaitable<absl::Status> AlertApi::Put(const v1::PutAlertRequest& request, v1::PutAlertResponse& response) {
  const auto site = parts_.sites.Find(request.alert().site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.alert().site());
  for (int attempt = 0; attempt < kAlertPutAttemptsMax; ++attempt) {
    const auto done = co_await TryPut(site, request, response);
    if (!done.ok()) co_return done.status();
    if (*done) co_return absl::OkStatus();
  }
  co_return RetryLater(absl::StatusCode::kUnavailable, "other calls change the alert at the same time",
                       limits::kRetryDelay);
}

asio::awaitable<absl::StatusOr<bool>> AlertApi::TryPut(std::shared_ptr<const Site> site,
                                                       const v1::PutAlertRequest& request,
                                                       v1::PutAlertResponse& response) {
  response.Clear();
  const auto stored = co_await parts_.store.ReadAlerts();
  if (!stored.ok()) co_return StoreError(stored.status());
  const AlertKey key(site->name, request.alert().name());
  const auto entry = stored->find(key);
  const auto present = entry == stored->end() ? std::nullopt : ParseAlert(entry->second.settings);
  auto alert = CheckedAlert(request.alert(), *site, present ? &*present : nullptr, parts_.private_addresses,
                            parts_.clock.UnixMillis());
  if (!alert.ok()) co_return alert.status();
  const bool created = entry == stored->end() || entry->second.settings.empty();
  if (created) {
    if (auto status = CheckRoom(*stored, site->name); !status.ok()) co_return status;
  }
  if (alert->secret().empty()) {
    alert->set_secret(NewWebhookSecret());
    response.set_generated_secret(alert->secret());
  }
  const std::string expected = entry == stored->end() ? "" : entry->second.settings;
  const std::string settings = EncodeAlert(*alert);
  const auto written = co_await parts_.store.SwapAlert(key, expected, settings);
  if (!written.ok()) co_return StoreError(written.status());
  if (!*written) co_return false;
  *response.mutable_alert() = ShownAlert(*alert);
  response.set_created(created);
  if (!alert->has_digest()) co_await FillPresent(site, *alert, response);
  parts_.checker.CheckSoon(key);
  co_return true;
}

asio::awaitable<void> AlertApi::FillPresent(std::shared_ptr<const Site> site, const v1::Alert& alert,
                                            v1::PutAlertResponse& response) {
  const auto reading = co_await parts_.reader.Read(std::move(site), alert, true, parts_.clock.UnixMillis());
  if (!reading.ok()) co_return;
  const HoursViews& hours = DecisiveHours(alert, *reading);
  if (hours.views.exact) response.set_present_views(hours.views.least);
  if (hours.usual) response.set_usual_views(*hours.usual);
  response.set_usual_days(hours.usual_days);
}

asio::awaitable<absl::Status> AlertApi::List(const v1::ListAlertsRequest& request, v1::ListAlertsResponse& response) {
  if (!request.site().empty() && parts_.sites.Find(request.site()) == nullptr) {
    co_return parts_.sites.Unknown(request.site());
  }
  const auto stored = co_await parts_.store.ReadAlerts();
  if (!stored.ok()) co_return StoreError(stored.status());
  for (const auto& [key, entry] : *stored) {
    if (!request.site().empty() && key.first != request.site()) continue;
    const auto alert = ParseAlert(entry.settings);
    const auto site = parts_.sites.Find(key.first);
    if (!alert || site == nullptr) continue;
    v1::ListedAlert& listed = *response.add_alerts();
    *listed.mutable_alert() = ShownAlert(*alert);
    Fill(PresentState(*alert, site->zone, entry.state), parts_.checker.ProblemOf(key), *listed.mutable_state());
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> AlertApi::Delete(const v1::DeleteAlertRequest& request) {
  if (parts_.sites.Find(request.site()) == nullptr) co_return parts_.sites.Unknown(request.site());
  const AlertKey key(request.site(), request.name());
  const auto removed = co_await parts_.store.RemoveAlert(key);
  if (!removed.ok()) co_return StoreError(removed.status());
  parts_.checker.Forget(key);
  co_return *removed ? absl::OkStatus() : UnknownAlert(request.site(), request.name());
}

asio::awaitable<absl::Status> AlertApi::Test(const v1::TestAlertRequest& request, v1::TestAlertResponse& response) {
  const auto site = parts_.sites.Find(request.site());
  if (site == nullptr) co_return parts_.sites.Unknown(request.site());
  const auto stored = co_await parts_.store.ReadAlerts();
  if (!stored.ok()) co_return StoreError(stored.status());
  const auto entry = stored->find(AlertKey(request.site(), request.name()));
  auto alert = entry == stored->end() ? std::nullopt : ParseAlert(entry->second.settings);
  if (!alert) co_return UnknownAlert(request.site(), request.name());
  AlertState state = PresentState(*alert, site->zone, entry->second.state);
  state.sending = alert->has_digest() ? AlertMessage::kDigest : AlertMessage::kFired;
  // The ID must differ from those of other messages.
  state.message_unix_ms = -parts_.clock.UnixMillis();
  const auto event = co_await parts_.checker.MakeEvent(site, *std::move(alert), std::move(state), true);
  if (!event.ok()) co_return StoreError(event.status());
  // The sender answers on its own thread.
  struct Answer {
    explicit Answer(const asio::any_io_executor& executor) : arrived(executor) {}
    AsyncEvent arrived;
    std::optional<WebhookOutcome> outcome;
  };
  const auto answer = std::make_shared<Answer>(executor_);
  const bool queued = parts_.checker.Send(*event, 1, [executor = executor_, answer](const WebhookOutcome& outcome) {
    asio::post(executor, [answer, outcome] {
      answer->outcome = outcome;
      answer->arrived.NotifyAll();
    });
  });
  if (!queued) {
    co_return RetryLater(absl::StatusCode::kResourceExhausted, "too many messages wait to be sent",
                         limits::kRetryDelay);
  }
  while (!answer->outcome) co_await answer->arrived.Wait();
  response.set_delivered(answer->outcome->problem.empty());
  response.set_http_status(answer->outcome->http_status);
  response.set_problem(answer->outcome->problem);
  co_return absl::OkStatus();
}

}  // namespace viewcount
