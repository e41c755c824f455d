#include "service/alerts/alert_settings.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "service/alerts/alert_condition.h"
#include "service/alerts/alert_limits.h"
#include "service/alerts/alert_state.h"
#include "service/alerts/webhook_address.h"
#include "service/articles/article_catalog.h"
#include "service/base/status.h"
#include "service/base/text.h"
#include "service/query/asked_articles.h"
#include "service/query/list_question.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int64_t kSecondsOfMinute = 60;
constexpr uint32_t kHoursOfDay = 24;

absl::Status CheckCount(std::string_view field, uint64_t views, uint64_t least) {
  if (views >= least && views <= kAlertViewsMax) return absl::OkStatus();
  return InvalidField(field, fmt::format("must be {} to {}", least, kAlertViewsMax));
}

absl::Status CheckCondition(const v1::Alert& alert) {
  switch (alert.condition_case()) {
    case v1::Alert::kViewsAbove:
      return CheckCount("alert.views_above", alert.views_above(), 0);
    case v1::Alert::kViewsBelow:
      return CheckCount("alert.views_below", alert.views_below(), 1);
    case v1::Alert::kAboveUsual:
      if (alert.above_usual() > 1 && alert.above_usual() <= kUsualFactorMax) return absl::OkStatus();
      return InvalidField("alert.above_usual", fmt::format("must be above 1 and at most {}", kUsualFactorMax));
    case v1::Alert::kBelowUsual:
      if (alert.below_usual() > 0 && alert.below_usual() < 1) return absl::OkStatus();
      return InvalidField("alert.below_usual", "must be above 0 and below 1");
    case v1::Alert::kDigest:
      if (alert.digest().period() != v1::DIGEST_PERIOD_DAY && alert.digest().period() != v1::DIGEST_PERIOD_WEEK) {
        return InvalidField("alert.digest.period", "must be a day or a week");
      }
      if (alert.digest().hour() < kHoursOfDay) return absl::OkStatus();
      return InvalidField("alert.digest.hour", fmt::format("must be 0 to {}", kHoursOfDay - 1));
    case v1::Alert::CONDITION_NOT_SET:
      break;
  }
  return InvalidField("alert.condition",
                      "must be set: views_above, views_below, above_usual, below_usual or digest, exactly one");
}

absl::Status CheckRepeat(const v1::Alert& alert) {
  if (!alert.has_repeat_every()) return absl::OkStatus();
  const auto& every = alert.repeat_every();
  const auto least = std::chrono::seconds(kRepeatEveryMin).count(),
             most = std::chrono::seconds(kRepeatEveryMax).count();
  if (every.seconds() >= least && every.seconds() <= most && every.seconds() % kSecondsOfMinute == 0 &&
      every.nanos() == 0) {
    return absl::OkStatus();
  }
  return InvalidField("alert.repeat_every",
                      fmt::format("must be whole minutes, from {} minutes to {} days", kRepeatEveryMin.count(),
                                  std::chrono::floor<std::chrono::days>(kRepeatEveryMax).count()));
}

absl::Status CheckTimes(const v1::Alert& alert) {
  if (alert.hours() > kAlertHoursMax) {
    return InvalidField("alert.hours", fmt::format("must be 1 to {}, or 0 for 1", kAlertHoursMax));
  }
  if (alert.has_digest() && alert.hours() != 0) return InvalidField("alert.hours", "must be unset for a digest");
  if (alert.has_digest() && alert.has_repeat_every()) {
    return InvalidField("alert.repeat_every", "must be unset for a digest");
  }
  if (alert.minimum_usual() != 0 && !ComparesWithUsual(alert)) {
    return InvalidField("alert.minimum_usual", "is for above_usual and below_usual only");
  }
  if (auto status = CheckCount("alert.minimum_usual", alert.minimum_usual(), 0); !status.ok()) return status;
  return CheckRepeat(alert);
}

bool NeedsChat(v1::AlertFormat format) {
  return format == v1::ALERT_FORMAT_TELEGRAM || format == v1::ALERT_FORMAT_ZALO;
}

absl::Status CheckFormat(const v1::Alert& alert) {
  if (!v1::AlertFormat_IsValid(alert.format())) {
    return InvalidField("alert.format", "must be JSON, Slack, Teams, Telegram or Zalo");
  }
  if (!v1::AlertLanguage_IsValid(alert.language())) {
    return InvalidField("alert.language", "must be English or Vietnamese");
  }
  const std::string& chat = alert.chat();
  if (!NeedsChat(alert.format())) {
    return chat.empty() ? absl::OkStatus() : InvalidField("alert.chat", "is for Telegram and Zalo only");
  }
  const bool printable = std::all_of(chat.begin(), chat.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!chat.empty() && chat.size() <= kAlertChatBytesMax && printable) return absl::OkStatus();
  return InvalidField("alert.chat", fmt::format("must be 1 to {} printable ASCII characters: the chat that receives "
                                                "the messages",
                                                kAlertChatBytesMax));
}

// Replaces an address by the article that it names, and checks the subject.
absl::Status CheckSubject(const Site& site, v1::Alert& alert) {
  if (alert.has_section()) {
    if (alert.section().empty()) return InvalidField("alert.section", "must not be empty");
    return CheckLabel("alert.section", alert.section());
  }
  if (!alert.has_article_id() && !alert.has_address()) return absl::OkStatus();
  const std::string id = alert.article_id(), address = alert.address();
  if (alert.has_article_id() && !IsArticleId(id)) {
    return InvalidField("alert.article_id", kArticleIdRule);
  }
  if (alert.has_address()) {
    const auto named = ArticleOf(site, "", address, "");
    if (!named.ok()) return named.status();
    if (named->empty()) return InvalidField("alert.address", "must not be empty");
    alert.set_article_id(*named);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Alert> CheckedAlert(const v1::Alert& asked, const Site& site, const v1::Alert* present,
                                       const AddressRanges& private_addresses, int64_t now_unix_ms) {
  // Alerts have the form of sites' names, because both are parts of a field's name.
  if (!IsSiteName(asked.name())) {
    return InvalidField("alert.name",
                        "must be 1 to 64 of a-z, A-Z, 0-9, '-', '_' and '.', beginning with a letter or digit");
  }
  v1::Alert alert = asked;
  alert.set_site(site.name);
  alert.clear_webhook_origin();
  const auto now = TimeUtil::MillisecondsToTimestamp(now_unix_ms);
  *alert.mutable_create_time() = present != nullptr ? present->create_time() : now;
  if (alert.webhook_url().empty() && present != nullptr) alert.set_webhook_url(present->webhook_url());
  if (alert.secret().empty() && present != nullptr) alert.set_secret(present->secret());
  if (alert.webhook_url().empty()) return InvalidField("alert.webhook_url", "is required for a new alert");
  const size_t secret_bytes = alert.secret().size();
  if (secret_bytes != 0 && (secret_bytes < kAlertSecretBytesMin || secret_bytes > kAlertSecretBytesMax)) {
    return InvalidField("alert.secret",
                        fmt::format("must have {} to {} bytes", kAlertSecretBytesMin, kAlertSecretBytesMax));
  }
  for (const auto check : {CheckCondition, CheckTimes, CheckFormat}) {
    if (auto status = check(alert); !status.ok()) return status;
  }
  if (auto status = CheckSubject(site, alert); !status.ok()) return status;
  if (auto status = CheckWebhook(alert.webhook_url(), private_addresses); !status.ok()) return status;
  *alert.mutable_watch_time() = present != nullptr ? present->watch_time() : now;
  if (present != nullptr && RevisionOf(alert) != RevisionOf(*present)) *alert.mutable_watch_time() = now;
  return alert;
}

std::string EncodeAlert(const v1::Alert& alert) { return alert.SerializeAsString(); }

std::optional<v1::Alert> ParseAlert(std::string_view text) {
  v1::Alert alert;
  if (text.empty() || !alert.ParseFromArray(text.data(), static_cast<int>(text.size()))) return std::nullopt;
  // Values that another version, or another program, has written must not be relied on.
  const bool usable = alert.condition_case() != v1::Alert::CONDITION_NOT_SET && CheckCondition(alert).ok() &&
                      CheckTimes(alert).ok() && !alert.has_address() && IsTime(alert.create_time()) &&
                      IsTime(alert.watch_time());
  return usable ? std::optional(std::move(alert)) : std::nullopt;
}

v1::Alert ShownAlert(v1::Alert alert) {
  const auto origin = OriginOfWebhook(alert.webhook_url());
  alert.set_webhook_origin(origin.ok() ? *origin : "");
  alert.clear_webhook_url();
  alert.clear_secret();
  return alert;
}

}  // namespace viewcount
