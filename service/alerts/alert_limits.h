// The limits of alerts, and of the messages that they send.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace viewcount {

// The number of alerts in all, and of one site. Concurrent calls to several instances may exceed them by a few. Every
// instance reads all alerts once a minute; one takes at most some 4 KiB.
inline constexpr size_t kAlertsMax = 1'000;
inline constexpr size_t kAlertsPerSiteMax = 64;

// How often a put is tried if others change the same alert.
inline constexpr int kAlertPutAttemptsMax = 4;

inline constexpr uint32_t kAlertHoursMax = 24;
// The days before whose same hours make up the usual views.
inline constexpr uint32_t kUsualDays = 7;
// With fewer usual views than this, a comparison with them says nothing, unless the alert states another number.
inline constexpr uint64_t kMinimumUsualViews = 20;
inline constexpr double kUsualFactorMax = 1'000;
inline constexpr uint64_t kAlertViewsMax = uint64_t{1} << 53;
inline constexpr std::chrono::minutes kRepeatEveryMin{5};
inline constexpr std::chrono::minutes kRepeatEveryMax{30 * 24 * 60};

inline constexpr size_t kWebhookAddressBytesMax = 2'000;
inline constexpr size_t kAlertSecretBytesMin = 16;
inline constexpr size_t kAlertSecretBytesMax = 256;
inline constexpr size_t kAlertChatBytesMax = 128;

// The articles of a digest.
inline constexpr uint32_t kDigestArticles = 10;
// The characters of a title or a name in a text. More are cut off.
inline constexpr size_t kAlertTitleCharactersMax = 200;
// The characters of a whole text. Zalo takes 2,000, Telegram 4,096.
inline constexpr size_t kAlertTextCharactersMax = 2'000;

// Checks are made at full minutes, and up to this much later, so that instances do not all ask at once.
inline constexpr std::chrono::milliseconds kAlertCheckJitterMax{5'000};
inline constexpr std::chrono::minutes kAlertCheckInterval{1};

// The messages that wait or are being sent, and how many of them are being sent at once: in all, and to one webhook's
// host. More at once take more connections.
inline constexpr size_t kWebhookQueueMax = 1'024;
inline constexpr size_t kWebhookTransfersMax = 16;
inline constexpr size_t kWebhookTransfersPerOriginMax = 4;
static_assert(kAlertsMax <= kWebhookQueueMax, "each alert has at most one message under way, and tests come on top");
inline constexpr std::chrono::milliseconds kWebhookConnectTimeout{4'000};
// The time for one attempt. It is shorter than the time-out of a call by the command line, which waits for a test.
inline constexpr std::chrono::milliseconds kWebhookTimeout{8'000};
// The bytes of an answer that are read and thrown away.
inline constexpr size_t kWebhookAnswerBytesMax = 64 << 10;
inline constexpr int kWebhookAttemptsMax = 5;
// The pauses before the further attempts. Each is varied by up to a quarter.
inline constexpr std::chrono::milliseconds kWebhookPauses[kWebhookAttemptsMax - 1] = {
    std::chrono::seconds(1), std::chrono::seconds(5), std::chrono::seconds(30), std::chrono::seconds(120)};
// A longer Retry-After counts as this long.
inline constexpr std::chrono::seconds kWebhookRetryAfterMax{300};
// No attempt begins later than this after the message was taken.
inline constexpr std::chrono::minutes kWebhookPatience{10};
// After this time another instance may send a message that was taken and not reported as sent: the instance that took
// it is gone.
inline constexpr std::chrono::minutes kAlertLease{12};
static_assert(kWebhookPatience + kWebhookTimeout < kAlertLease);
// A message for which all attempts failed is sent again whenever its lease has ended, until it is so old.
inline constexpr std::chrono::hours kAlertMessageKept{24};
// A time in the store that lies further ahead was written by a clock that was wrong.
inline constexpr std::chrono::hours kAlertClockErrorMax{1};

}  // namespace viewcount
