#include "service/alerts/alert_checker.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "service/alerts/alert_limits.h"
#include "service/alerts/alert_settings.h"
#include "service/alerts/alert_template.h"
#include "service/alerts/webhook_address.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;
using std::chrono::milliseconds;

namespace {

constexpr int64_t kCheckIntervalMs = milliseconds(kAlertCheckInterval).count();

std::string NameOf(const AlertKey& key) { return fmt::format("{}/{}", key.first, key.second); }

std::string_view WordFor(AlertMessage message) {
  switch (message) {
    case AlertMessage::kFired:
      return "fires";
    case AlertMessage::kRepeated:
      return "still fires";
    case AlertMessage::kResolved:
      return "is resolved";
    case AlertMessage::kDigest:
      return "has a digest";
    case AlertMessage::kNone:
      break;
  }
  return "sends nothing";
}

}  // namespace

asio::awaitable<void> AlertChecker::Run() {
  std::uniform_int_distribution<int64_t> jitter(0, milliseconds(kAlertCheckJitterMax).count());
  const int64_t shift_ms = jitter(random_);
  const auto minute = [&] { return (parts_.clock.UnixMillis() - shift_ms) / kCheckIntervalMs; };
  int64_t checked = minute();
  while (!stopped_) {
    woken_ = false;
    const int64_t present = minute();
    if (present != checked) {
      checked = present;
      soon_.clear();
      co_await Check(nullptr);
    } else if (!soon_.empty()) {
      const std::set<AlertKey> soon = std::exchange(soon_, {});
      co_await Check(&soon);
    } else {
      co_await WriteFinished();
    }
    if (stopped_) break;
    if (woken_ || minute() != checked) continue;
    const int64_t next_ms = (checked + 1) * kCheckIntervalMs + shift_ms - parts_.clock.UnixMillis();
    // A clock that was set back must not stop the checks.
    timer_.expires_after(milliseconds(std::clamp<int64_t>(next_ms, 1, kCheckIntervalMs)));
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void AlertChecker::Stop() {
  stopped_ = true;
  timer_.cancel();
}

void AlertChecker::CheckSoon(const AlertKey& key) {
  soon_.insert(key);
  woken_ = true;
  timer_.cancel();
}

std::string AlertChecker::ProblemOf(const AlertKey& key) const {
  for (const auto* problems : {&check_problems_, &message_problems_}) {
    if (const auto problem = problems->find(key); problem != problems->end()) return problem->second;
  }
  return "";
}

void AlertChecker::Forget(const AlertKey& key) {
  check_problems_.erase(key);
  message_problems_.erase(key);
  last_taken_.erase(key);
}

bool AlertChecker::IsFinished(const AlertKey& key) const {
  return std::any_of(finished_.begin(), finished_.end(), [&](const Finished& one) { return one.key == key; });
}

bool AlertChecker::HasSent(const Checked& checked, const AlertState& next) const {
  const auto last = last_taken_.find(checked.key);
  if (last == last_taken_.end() || last->second.revision != next.revision) return false;
  // A lost message is sent again.
  if (checked.state.sending != AlertMessage::kNone) return false;
  if (next.sending == AlertMessage::kDigest) return last->second.digest_day == next.digest_day;
  if (next.sending != AlertMessage::kRepeated) return false;
  const milliseconds every(TimeUtil::DurationToMilliseconds(checked.alert.repeat_every()));
  return parts_.clock.Now() - last->second.at < every / 2;
}

void AlertChecker::NoteFailure(const AlertKey& key, const absl::Status& status) {
  parts_.metrics.alert_checks_failed.Increment();
  check_problems_[key] = std::string(status.message());
  if (failure_lines_.Take(parts_.clock.Now())) {
    spdlog::warn("alert {} was not decided, and neither fires nor resolves: {}", NameOf(key), ToStd(status.message()));
  }
}

asio::awaitable<void> AlertChecker::Check(const std::set<AlertKey>* only) {
  co_await WriteFinished();
  const auto stored = co_await parts_.store.ReadAlerts();
  if (!stored.ok()) {
    parts_.metrics.alert_checks_failed.Increment();
    if (failure_lines_.Take(parts_.clock.Now())) {
      spdlog::warn("alerts were not read, so none fires or resolves: {}", ToStd(stored.status().message()));
    }
    co_return;
  }
  if (only == nullptr) {
    // Other instances may have deleted alerts.
    const auto is_gone = [&](const auto& one) { return !stored->contains(one.first); };
    std::erase_if(check_problems_, is_gone);
    std::erase_if(message_problems_, is_gone);
    std::erase_if(last_taken_, is_gone);
  }
  for (const auto& [key, entry] : *stored) {
    if (stopped_) co_return;
    if (only != nullptr && !only->contains(key)) continue;
    // The store would show a message that was delivered as a lost one.
    if (IsFinished(key)) continue;
    // The state of an alert that was deleted by another instance meanwhile.
    if (entry.settings.empty()) {
      (co_await parts_.store.RemoveAlertState(key)).IgnoreError();
      continue;
    }
    auto alert = ParseAlert(entry.settings);
    if (!alert) {
      NoteFailure(key, absl::DataLossError("its settings in Redis are unusable; put the alert again"));
      continue;
    }
    auto site = parts_.sites.Find(key.first);
    if (site == nullptr) continue;
    AlertState state = PresentState(*alert, site->zone, entry.state);
    Checked checked{key, std::move(site), *std::move(alert), entry.state, std::move(state)};
    co_await CheckOne(std::move(checked));
  }
}

asio::awaitable<void> AlertChecker::CheckOne(Checked checked) {
  const int64_t now = parts_.clock.UnixMillis();
  if (IsSending(checked.state, now)) co_return;
  std::optional<HoursViews> views;
  const auto next = co_await Decide(checked, now, views);
  if (!next.ok()) {
    NoteFailure(checked.key, next.status());
    co_return;
  }
  check_problems_.erase(checked.key);
  if (*next == checked.state || HasSent(checked, *next)) co_return;
  if (next->sending == AlertMessage::kNone) {
    const std::string corrected = EncodeState(*next);
    const auto swapped = co_await parts_.store.SwapAlertState(checked.key, checked.stored, corrected);
    if (!swapped.ok()) NoteFailure(checked.key, swapped.status());
    co_return;
  }
  co_await TakeAndSend(checked, *next, views);
}

asio::awaitable<absl::StatusOr<AlertState>> AlertChecker::Decide(const Checked& checked, int64_t now_unix_ms,
                                                                 std::optional<HoursViews>& views) {
  const v1::Alert& alert = checked.alert;
  const AlertMessage lost = LostMessage(checked.state, now_unix_ms);
  if (lost != AlertMessage::kNone) co_return Taken(checked.state, lost, now_unix_ms);
  if (alert.has_digest()) {
    auto next = AfterDigestTime(alert, checked.state, checked.site->zone, now_unix_ms);
    co_return next ? *std::move(next) : checked.state;
  }
  const auto reading = co_await parts_.reader.Read(checked.site, alert, ComparesWithUsual(alert), now_unix_ms);
  if (!reading.ok()) co_return reading.status();
  const Verdict verdict = Judge(alert, *reading);
  if (verdict == Verdict::kUnknown) {
    co_return absl::UnavailableError("the list of the section's articles is not known to be complete");
  }
  views = DecisiveHours(alert, *reading);
  auto next = AfterVerdict(alert, checked.state, verdict, now_unix_ms);
  co_return next ? *std::move(next) : checked.state;
}

asio::awaitable<void> AlertChecker::TakeAndSend(const Checked& checked, const AlertState& next,
                                                std::optional<HoursViews> views) {
  auto event = co_await MakeEvent(checked.site, checked.alert, next, false);
  if (!event.ok()) {
    NoteFailure(checked.key, event.status());
    co_return;
  }
  // The message states the numbers that decided.
  if (views) {
    const auto usual = event->views ? event->views->usual : std::nullopt;
    const uint32_t usual_days = event->views ? event->views->usual_days : 0;
    event->views = views;
    if (!event->views->usual) {
      event->views->usual = usual;
      event->views->usual_days = usual_days;
    }
  }
  const std::string text = EncodeState(next);
  const auto taken = co_await parts_.store.SwapAlertState(checked.key, checked.stored, text);
  if (!taken.ok()) {
    NoteFailure(checked.key, taken.status());
    co_return;
  }
  // Another instance has it.
  if (!*taken) co_return;
  last_taken_[checked.key] = {next.revision, next.digest_day, parts_.clock.Now()};
  spdlog::info("alert {} {}", NameOf(checked.key), WordFor(next.sending));
  const bool queued =
      Send(*event, kWebhookAttemptsMax, [this, key = checked.key, text, next](const WebhookOutcome& outcome) {
        asio::post(executor_, [this, key, text, next, outcome] { Finish(key, text, next, outcome); });
      });
  if (queued) co_return;
  parts_.metrics.AlertSent(AlertResult::kQueueFull).Increment();
  // The next check finds the message unsent.
  AlertState unsent = next;
  unsent.lease_unix_ms = 0;
  finished_.push_back({checked.key, text, EncodeState(unsent)});
  message_problems_[checked.key] = "too many messages wait to be sent";
}

asio::awaitable<absl::StatusOr<AlertEvent>> AlertChecker::MakeEvent(std::shared_ptr<const Site> site, v1::Alert alert,
                                                                    AlertState state, bool is_test) {
  AlertEvent event{.message = state.sending, .is_test = is_test};
  event.unix_ms = parts_.clock.UnixMillis();
  event.zone = site->zone;
  event.id = MessageIdOf(alert, state);
  if (alert.has_digest()) {
    const auto day = DayOfNumber(state.digest_day);
    const DigestSpan due = DueDigest(alert.digest(), site->zone, event.unix_ms);
    event.span = is_test || !day ? due : DigestOfDay(alert.digest(), *day);
    auto digest = co_await parts_.reader.ReadDigest(site, alert, event.span);
    if (!digest.ok()) co_return digest.status();
    event.digest = *std::move(digest);
  } else {
    const auto reading = co_await parts_.reader.Read(site, alert, true, event.unix_ms);
    if (reading.ok()) event.views = DecisiveHours(alert, *reading);
  }
  if (alert.has_article_id()) {
    const std::string id(site->Resolve(alert.article_id()));
    const std::vector<std::string_view> ids = {id};
    const auto details = co_await parts_.catalog.ReadDetails(site, ids);
    // Without a title the text has the article's ID.
    if (details.articles.front() != nullptr) event.title = details.articles.front()->title();
  }
  event.alert = std::move(alert);
  co_return event;
}

bool AlertChecker::Send(const AlertEvent& event, int attempts_max, std::function<void(const WebhookOutcome&)> done) {
  const auto origin = OriginOfWebhook(event.alert.webhook_url());
  return parts_.sender.Send({.address = event.alert.webhook_url(),
                             .origin = origin.ok() ? *origin : "",
                             .secret = event.alert.secret(),
                             .body = BodyOf(event),
                             .id = event.id,
                             .attempts_max = attempts_max,
                             .done = std::move(done)});
}

void AlertChecker::Finish(const AlertKey& key, const std::string& stored, const AlertState& state,
                          const WebhookOutcome& outcome) {
  // The message stays taken. Another instance, or the next start, sends it when the lease has ended.
  if (outcome.cut_off) return;
  if (outcome.problem.empty()) {
    message_problems_.erase(key);
  } else {
    const bool kept = outcome.result == AlertResult::kGivenUp && IsKept(state, parts_.clock.UnixMillis());
    message_problems_[key] =
        fmt::format("the last message was not delivered{}: {}", kept ? " yet" : "", outcome.problem);
    spdlog::warn("alert {}: its message was not delivered{}: {}", NameOf(key), kept ? " yet" : "", outcome.problem);
    if (kept) return;
  }
  finished_.push_back({key, stored, EncodeState(Done(state))});
  // A change that came while the message was sent is noticed at once.
  CheckSoon(key);
}

asio::awaitable<void> AlertChecker::WriteFinished() {
  const std::vector<Finished> finished = std::exchange(finished_, {});
  for (const Finished& one : finished) {
    const auto swapped = co_await parts_.store.SwapAlertState(one.key, one.stored, one.next);
    // If the state is another one, the alert was deleted or changed, or the lease has ended.
    if (!swapped.ok() && finished_.size() < kWebhookQueueMax) finished_.push_back(one);
  }
}

}  // namespace viewcount
