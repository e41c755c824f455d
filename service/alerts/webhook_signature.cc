#include "service/alerts/webhook_signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "service/base/check.h"
#include "service/base/identifiers.h"

namespace viewcount {

std::string WebhookSignature(std::string_view secret, int64_t unix_seconds, std::string_view body) {
  const std::string text = fmt::format("{}.{}", unix_seconds, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  unsigned int size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  VIEWCOUNT_CHECK(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), data, text.size(), bytes.data(),
                       &size) != nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return fmt::format("t={},v1={}", unix_seconds, hex);
}

std::string NewWebhookSecret() {
  std::string secret;
  std::array<uint8_t, 16> bytes;
  for (int i = 0; i < 2; ++i) {
    FillRandom(bytes);
    secret += HexOf(bytes);
  }
  return secret;
}

}  // namespace viewcount
