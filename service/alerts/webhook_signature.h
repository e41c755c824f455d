// The signature of a message, by which a webhook recognises that it comes from this service.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

// Returns the value of the header viewcount-signature: `t=SECONDS,v1=HEX`. HEX is the HMAC-SHA256 of the text
// `SECONDS.BODY` under the secret, in lower-case hexadecimal digits. Thread-safe.
std::string WebhookSignature(std::string_view secret, int64_t unix_seconds, std::string_view body);

// Returns a new random secret: 64 hexadecimal digits. Thread-safe.
std::string NewWebhookSecret();

}  // namespace viewcount
