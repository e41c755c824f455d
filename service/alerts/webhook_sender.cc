#include "service/alerts/webhook_sender.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <list>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "service/alerts/alert_limits.h"
#include "service/alerts/webhook_address.h"
#include "service/alerts/webhook_signature.h"
#include "service/base/check.h"
#include "service/base/mutex.h"
#include "service/base/version.h"

namespace viewcount {
using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::seconds;

namespace {

constexpr uint32_t kStatusFinalMin = 200, kStatusRedirectMin = 300, kStatusErrorMin = 400;
constexpr uint32_t kStatusTooMany = 429, kStatusServerErrorMin = 500;
// How long the thread sleeps if nothing happens.
constexpr milliseconds kIdle{10'000};

struct CloseTransfer {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct CloseMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeHeaders {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// A message and its attempts. Used by the sender's thread only.
struct Delivery {
  WebhookMessage message;
  SteadyTime taken_at;
  SteadyTime due;
  int attempts = 0;
  // The attempt under way. Null between attempts.
  std::unique_ptr<CURL, CloseTransfer> transfer = nullptr;
  std::unique_ptr<curl_slist, FreeHeaders> headers = nullptr;
  const AddressRanges* private_addresses = nullptr;
  // These describe the attempt under way.
  bool refused_address = false;
  bool opened_socket = false;
  size_t answer_bytes = 0;
};

template <typename Value>
void SetOption(CURL* handle, CURLoption option, Value value) {
  VIEWCOUNT_CHECK(curl_easy_setopt(handle, option, value) == CURLE_OK);
}

// Opens a socket if the address may be connected to.
curl_socket_t OpenChecked(void* to, curlsocktype, curl_sockaddr* address) {
  auto& delivery = *static_cast<Delivery*>(to);
  boost::asio::ip::tcp::endpoint endpoint;
  const bool is_ip = address->family == AF_INET || address->family == AF_INET6;
  if (is_ip && address->addrlen <= endpoint.capacity()) {
    std::memcpy(endpoint.data(), &address->addr, address->addrlen);
    endpoint.resize(address->addrlen);
    if (IsAllowedAddress(endpoint.address(), *delivery.private_addresses)) {
      delivery.opened_socket = true;
      return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    }
  }
  delivery.refused_address = true;
  return CURL_SOCKET_BAD;
}

// Throws the answer away, and ends an endless one.
size_t Discard(char*, size_t, size_t size, void* to) {
  auto& delivery = *static_cast<Delivery*>(to);
  delivery.answer_bytes += size;
  return delivery.answer_bytes > kWebhookAnswerBytesMax ? 0 : size;
}

// Returns what an attempt means. kGivenUp stands for a failure that may pass.
WebhookOutcome OutcomeOf(const Delivery& delivery, CURLcode code) {
  long last_status = 0;
  VIEWCOUNT_CHECK(curl_easy_getinfo(delivery.transfer.get(), CURLINFO_RESPONSE_CODE, &last_status) == CURLE_OK);
  WebhookOutcome outcome{.http_status = static_cast<uint32_t>(last_status)};
  const uint32_t status = outcome.http_status;
  // The status decides, even if the rest of the answer is cut off, late or too long. The webhook has the message.
  const bool answered = status >= kStatusFinalMin;
  if (answered && status < kStatusRedirectMin) return outcome;
  if (!answered && delivery.refused_address && !delivery.opened_socket) {
    outcome.result = AlertResult::kPrivateAddress;
    outcome.problem =
        "it leads to an address that is not public, which viewcountd allows with --alert-private-addresses";
  } else if (!answered) {
    // The message of libcurl could contain the address, so only its text for the code is used.
    outcome.result = AlertResult::kGivenUp;
    outcome.problem = code == CURLE_OK ? "it answered without a final status" : curl_easy_strerror(code);
  } else if (status == kStatusTooMany || status >= kStatusServerErrorMin) {
    outcome.result = AlertResult::kGivenUp;
    outcome.problem = fmt::format("it answered with {}", status);
  } else {
    outcome.result = AlertResult::kRejected;
    outcome.problem = status < kStatusErrorMin
                          ? fmt::format("it answered with {}, and redirects are not followed", status)
                          : fmt::format("it answered with {}", status);
  }
  return outcome;
}

// Returns how long the webhook wants to be left alone.
milliseconds RetryAfterOf(const Delivery& delivery) {
  curl_off_t after = 0;
  if (curl_easy_getinfo(delivery.transfer.get(), CURLINFO_RETRY_AFTER, &after) != CURLE_OK) return milliseconds(0);
  return std::clamp<seconds>(seconds(after), seconds(0), kWebhookRetryAfterMax);
}

}  // namespace

// All state of the thread, and the queue into which other threads put messages.
class WebhookSender::Loop {
 public:
  Loop(Options options, const Clock& clock, Metrics& metrics)
      : options_(std::move(options)),
        clock_(clock),
        metrics_(metrics),
        multi_(curl_multi_init()),
        random_(std::random_device()()) {
    VIEWCOUNT_CHECK(multi_ != nullptr);
    const char* const authorities = std::getenv("SSL_CERT_FILE");
    if (authorities != nullptr) authorities_ = authorities;
  }

  bool Send(WebhookMessage message) {
    {
      const MutexLock lock(mutex_);
      if (stopped_ || queued_ >= kWebhookQueueMax) return false;
      ++queued_;
      arrived_.push_back(std::move(message));
    }
    WakeUp();
    return true;
  }

  void Stop() {
    {
      const MutexLock lock(mutex_);
      stopped_ = true;
    }
    WakeUp();
  }

  void Run() {
    while (Take()) {
      Begin();
      int running = 0;
      VIEWCOUNT_CHECK(curl_multi_perform(multi_.get(), &running) == CURLM_OK);
      if (FinishAttempts()) continue;
      VIEWCOUNT_CHECK(curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(Pause().count()), nullptr) ==
                      CURLM_OK);
    }
    for (Delivery& delivery : deliveries_) {
      if (delivery.transfer == nullptr) continue;
      VIEWCOUNT_CHECK(curl_multi_remove_handle(multi_.get(), delivery.transfer.get()) == CURLM_OK);
    }
    CutOff();
  }

 private:
  void CutOff() {
    const WebhookOutcome outcome{
        .result = AlertResult::kGivenUp, .problem = "the service is stopping", .cut_off = true};
    for (const Delivery& delivery : deliveries_) delivery.message.done(outcome);
    deliveries_.clear();
    std::vector<WebhookMessage> arrived;
    {
      const MutexLock lock(mutex_);
      arrived.swap(arrived_);
    }
    for (const WebhookMessage& message : arrived) message.done(outcome);
  }

  void WakeUp() { VIEWCOUNT_CHECK(curl_multi_wakeup(multi_.get()) == CURLM_OK); }

  // Takes what arrived. Returns false if the thread must end.
  bool Take() {
    std::vector<WebhookMessage> arrived;
    {
      const MutexLock lock(mutex_);
      if (stopped_) return false;
      arrived.swap(arrived_);
    }
    const SteadyTime now = clock_.Now();
    for (WebhookMessage& message : arrived) {
      deliveries_.push_back(Delivery{.message = std::move(message),
                                     .taken_at = now,
                                     .due = now,
                                     .private_addresses = &options_.private_addresses});
    }
    return true;
  }

  bool MayBegin(const Delivery& delivery) const {
    if (delivery.transfer != nullptr || transfers_ >= kWebhookTransfersMax) return false;
    const auto same = transfers_by_origin_.find(delivery.message.origin);
    return same == transfers_by_origin_.end() || same->second < kWebhookTransfersPerOriginMax;
  }

  // Begins the attempts that are due, as far as there is room for them.
  void Begin() {
    const SteadyTime now = clock_.Now();
    for (auto delivery = deliveries_.begin(); delivery != deliveries_.end();) {
      const auto present = delivery++;
      if (present->transfer == nullptr && now > present->taken_at + kWebhookPatience) {
        End(present, {.result = AlertResult::kGivenUp, .problem = "it waited too long for its turn"});
      } else if (present->due <= now && MayBegin(*present)) {
        BeginAttempt(*present);
      }
    }
  }

  void BeginAttempt(Delivery& delivery) {
    ++delivery.attempts;
    ++transfers_;
    ++transfers_by_origin_[delivery.message.origin];
    delivery.refused_address = delivery.opened_socket = false;
    delivery.answer_bytes = 0;
    delivery.transfer.reset(curl_easy_init());
    CURL* const handle = delivery.transfer.get();
    VIEWCOUNT_CHECK(handle != nullptr);
    Configure(handle, delivery);
    VIEWCOUNT_CHECK(curl_multi_add_handle(multi_.get(), handle) == CURLM_OK);
  }

  void Configure(CURL* handle, Delivery& delivery) const {
    const WebhookMessage& message = delivery.message;
    const int64_t now_seconds = clock_.UnixMillis() / 1'000;
    const std::array<std::string, 4> lines = {
        "content-type: application/json", fmt::format("viewcount-delivery: {}", message.id),
        fmt::format("viewcount-signature: {}", WebhookSignature(message.secret, now_seconds, message.body)),
        // Without it libcurl waits for an answer before it sends a long body.
        "expect:"};
    delivery.headers.reset();
    for (const std::string& line : lines) {
      curl_slist* const longer = curl_slist_append(delivery.headers.get(), line.c_str());
      VIEWCOUNT_CHECK(longer != nullptr);
      delivery.headers.release();
      delivery.headers.reset(longer);
    }
    SetOption(handle, CURLOPT_PRIVATE, &delivery);
    SetOption(handle, CURLOPT_URL, message.address.c_str());
    SetOption(handle, CURLOPT_HTTPHEADER, delivery.headers.get());
    SetOption(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.body.size()));
    SetOption(handle, CURLOPT_POSTFIELDS, message.body.data());
    SetOption(handle, CURLOPT_USERAGENT, user_agent_.c_str());
    SetOption(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    SetOption(handle, CURLOPT_FOLLOWLOCATION, 0L);
    SetOption(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kWebhookConnectTimeout.count()));
    SetOption(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(kWebhookTimeout.count()));
    SetOption(handle, CURLOPT_NOSIGNAL, 1L);
    // Without it, the end of an attempt waits until its name is resolved. A name server that hangs must hold up neither
    // other messages nor the stop.
    SetOption(handle, CURLOPT_QUICK_EXIT, 1L);
    SetOption(handle, CURLOPT_FORBID_REUSE, 1L);
    SetOption(handle, CURLOPT_FRESH_CONNECT, 1L);
    SetOption(handle, CURLOPT_OPENSOCKETFUNCTION, OpenChecked);
    SetOption(handle, CURLOPT_OPENSOCKETDATA, &delivery);
    SetOption(handle, CURLOPT_WRITEFUNCTION, Discard);
    SetOption(handle, CURLOPT_WRITEDATA, &delivery);
    SetOption(handle, CURLOPT_PROXY, "");
    if (!authorities_.empty()) SetOption(handle, CURLOPT_CAINFO, authorities_.c_str());
  }

  // Returns true if an attempt ended.
  bool FinishAttempts() {
    bool any = false;
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      char* data = nullptr;
      VIEWCOUNT_CHECK(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data) == CURLE_OK);
      FinishAttempt(*reinterpret_cast<Delivery*>(data), message->data.result);
      any = true;
    }
    return any;
  }

  void FinishAttempt(Delivery& delivery, CURLcode code) {
    const WebhookOutcome outcome = OutcomeOf(delivery, code);
    const milliseconds retry_after = RetryAfterOf(delivery);
    VIEWCOUNT_CHECK(curl_multi_remove_handle(multi_.get(), delivery.transfer.get()) == CURLM_OK);
    delivery.transfer.reset();
    --transfers_;
    const auto same = transfers_by_origin_.find(delivery.message.origin);
    if (--same->second == 0) transfers_by_origin_.erase(same);
    if (outcome.result == AlertResult::kGivenUp && delivery.attempts < delivery.message.attempts_max) {
      delivery.due = clock_.Now() + std::max(PauseAfter(delivery.attempts), retry_after);
      if (delivery.due <= delivery.taken_at + kWebhookPatience) return;
    }
    End(std::find_if(deliveries_.begin(), deliveries_.end(), [&](const Delivery& one) { return &one == &delivery; }),
        outcome);
  }

  void End(std::list<Delivery>::iterator delivery, const WebhookOutcome& outcome) {
    metrics_.AlertSent(outcome.result).Increment();
    const auto done = std::move(delivery->message.done);
    deliveries_.erase(delivery);
    {
      const MutexLock lock(mutex_);
      --queued_;
    }
    done(outcome);
  }

  milliseconds PauseAfter(int attempts) {
    std::uniform_real_distribution<double> varied(0.75, 1.25);
    const auto pause = static_cast<double>(kWebhookPauses[attempts - 1].count());
    return milliseconds(static_cast<int64_t>(pause * options_.pause_factor * varied(random_)));
  }

  // Returns how long the thread may sleep unless something happens.
  milliseconds Pause() const {
    const SteadyTime now = clock_.Now();
    milliseconds pause = kIdle;
    for (const Delivery& delivery : deliveries_) {
      if (!MayBegin(delivery)) continue;
      // One more millisecond, so that it does not wake up just before the time.
      const auto left = duration_cast<milliseconds>(delivery.due - now) + milliseconds(1);
      pause = std::clamp(left, milliseconds(1), pause);
    }
    return pause;
  }

  const Options options_;
  const Clock& clock_;
  Metrics& metrics_;
  const std::string user_agent_ = fmt::format("viewcount/{}", Version());
  std::string authorities_;
  std::unique_ptr<CURLM, CloseMulti> multi_;
  std::minstd_rand random_;
  std::list<Delivery> deliveries_;
  size_t transfers_ = 0;
  std::map<std::string, size_t> transfers_by_origin_;

  Mutex mutex_;
  std::vector<WebhookMessage> arrived_ ABSL_GUARDED_BY(mutex_);
  // The messages in `arrived_` and `deliveries_`.
  size_t queued_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

WebhookSender::WebhookSender(Options options, const Clock& clock, Metrics& metrics) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  VIEWCOUNT_CHECK(ready == CURLE_OK);
  loop_ = std::make_unique<Loop>(std::move(options), clock, metrics);
  thread_ = std::thread([this] { loop_->Run(); });
}

WebhookSender::~WebhookSender() { Stop(); }

bool WebhookSender::Send(WebhookMessage message) { return loop_->Send(std::move(message)); }

void WebhookSender::Stop() {
  if (!thread_.joinable()) return;
  loop_->Stop();
  thread_.join();
}

}  // namespace viewcount
