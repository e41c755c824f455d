// Tests the signature of messages.
#include "service/alerts/webhook_signature.h"

#include <gtest/gtest.h>

namespace viewcount {
namespace {

// Python's hmac gave the expected value: hmac.new(b"0123456789abcdef", b'1796000000.{"a":1}', "sha256").hexdigest().
TEST(WebhookSignature, IsTheHmacOfTimeAndBody) {
  EXPECT_EQ(WebhookSignature("0123456789abcdef", 1'796'000'000, "{\"a\":1}"),
            "t=1796000000,v1=d067bdc6f6c708857dce13d68b9e73d2bbe11179886cc8183c0e189ab0fefc1b");
}

TEST(WebhookSignature, NewSecretsDiffer) {
  const std::string secret = NewWebhookSecret();
  EXPECT_EQ(secret.size(), 64u);
  EXPECT_NE(secret, NewWebhookSecret());
}

}  // namespace
}  // namespace viewcount
