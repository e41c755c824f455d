// Sends messages to webhooks, on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "service/base/address_ranges.h"
#include "service/base/clock.h"
#include "service/metrics/metrics.h"

namespace viewcount {

// The fate of a message.
struct WebhookOutcome {
  AlertResult result = AlertResult::kDelivered;
  // The status of HTTP in the last answer. 0 without one.
  uint32_t http_status = 0;
  // Why the message was not delivered, for the operator. It contains nothing of the webhook's address but its origin.
  // Empty if the message was delivered.
  std::string problem;
  // True if the sender was stopped before. The message may have been delivered or not.
  bool cut_off = false;
};

struct WebhookMessage {
  // The address, with http or https, and what OriginOfWebhook returns for it.
  std::string address;
  std::string origin;
  std::string secret;
  // JSON.
  std::string body;
  // Identifies the message for receivers that must not take it twice.
  std::string id;
  // The number of attempts, 1 to kWebhookAttemptsMax.
  int attempts_max = 1;
  // Called on the sender's thread when the message was delivered or given up, once; never after Stop has returned.
  std::function<void(const WebhookOutcome&)> done;
};

// A webhook that hangs delays no other host's messages: each attempt has a time-out, and several are made at once. It
// follows no redirect. It refuses to connect to an address that is not public, unless it is in `private_addresses`. The
// very address of the connection is checked, so a name that resolves to another one later does not help an attacker.
//
// A time-out, an answer of 429 or 5xx, and an error of the network are tried again, with growing and varied pauses. It
// waits as long as Retry-After says, up to kWebhookRetryAfterMax. Any other answer than 2xx is final. The status
// decides, even if the answer does not end cleanly.
//
// Certificates are verified, with the authorities in SSL_CERT_FILE or else the system's. No proxy
// is used, because a proxy would connect to any address.
//
// Thread-safe, except Stop. The objects that it refers to must outlive it.
class WebhookSender {
 public:
  struct Options {
    // The addresses that are not public and to which it may connect all the same.
    AddressRanges private_addresses = {};
    // Tests make the pauses between attempts shorter by this factor.
    double pause_factor = 1;
  };
  WebhookSender(Options options, const Clock& clock, Metrics& metrics);
  ~WebhookSender();
  WebhookSender(const WebhookSender&) = delete;
  WebhookSender& operator=(const WebhookSender&) = delete;

  // Queues a message. Returns false if kWebhookQueueMax messages wait already, or after Stop.
  bool Send(WebhookMessage message);
  // Ends all attempts and the thread. Messages that are not delivered yet are cut off.
  void Stop();

 private:
  class Loop;

  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace viewcount
