// Tests to which addresses a webhook may lead.
#include "service/alerts/webhook_address.h"

#include <gtest/gtest.h>

#include <string>

#include "service/alerts/alert_limits.h"

namespace viewcount {
namespace {

bool IsPublic(const std::string& address) { return IsPublicAddress(boost::asio::ip::make_address(address)); }

AddressRanges Allowed(const std::string& range) {
  const std::vector<std::string> ranges = {range};
  return *AddressRanges::Parse(ranges);
}

TEST(WebhookAddress, PublicAddresses) {
  for (const char* const address : {"1.1.1.1",         "9.255.255.255",        "11.0.0.0",
                                    "100.63.255.255",  "100.128.0.0",          "126.255.255.255",
                                    "128.0.0.0",       "169.253.255.255",      "169.255.0.0",
                                    "172.15.255.255",  "172.32.0.0",           "192.167.255.255",
                                    "192.169.0.0",     "198.17.255.255",       "198.20.0.0",
                                    "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:800::200e",
                                    "::ffff:1.1.1.1",  "64:ff9b::101:101"}) {
    EXPECT_TRUE(IsPublic(address)) << address;
  }
}

TEST(WebhookAddress, AddressesThatAreNotPublic) {
  for (const char* const address : {"0.0.0.0",
                                    "0.1.2.3",
                                    "10.0.0.0",
                                    "10.255.255.255",
                                    "100.64.0.0",
                                    "100.127.255.255",
                                    "127.0.0.1",
                                    "127.255.255.255",
                                    "169.254.0.0",
                                    "169.254.169.254",
                                    "172.16.0.0",
                                    "172.31.255.255",
                                    "192.0.0.1",
                                    "192.0.2.1",
                                    "192.88.99.1",
                                    "192.168.0.0",
                                    "192.168.255.255",
                                    "198.18.0.0",
                                    "198.19.255.255",
                                    "198.51.100.1",
                                    "203.0.113.1",
                                    "224.0.0.1",
                                    "239.255.255.255",
                                    "240.0.0.1",
                                    "255.255.255.255",
                                    "::",
                                    "::1",
                                    "::7f00:1",
                                    "::ffff:127.0.0.1",
                                    "::ffff:10.0.0.1",
                                    "::ffff:169.254.169.254",
                                    "64:ff9b::7f00:1",
                                    "64:ff9b::a00:1",
                                    "64:ff9b:1::1",
                                    "100::1",
                                    "2001::1",
                                    "2001:db8::1",
                                    "2002:7f00:1::1",
                                    "3fff::1",
                                    "4000::1",
                                    "5f00::1",
                                    "fc00::1",
                                    "fd12:3456::1",
                                    "fe80::1",
                                    "fec0::1",
                                    "ff02::1"}) {
    EXPECT_FALSE(IsPublic(address)) << address;
  }
}

TEST(WebhookAddress, OriginHasNothingOfThePath) {
  const auto origin = [](const std::string& address) { return OriginOfWebhook(address).value_or("refused"); };
  EXPECT_EQ(origin("https://hooks.example.org/services/T0/B0/token?key=secret"), "https://hooks.example.org");
  EXPECT_EQ(origin("http://hooks.example.org:8080/x"), "http://hooks.example.org:8080");
  EXPECT_EQ(origin("http://[2001:db8::1]:8080"), "http://[2001:db8::1]:8080");
}

TEST(WebhookAddress, OtherAddressesAreRefusedWithoutBeingQuoted) {
  for (const std::string address :
       {"", "hooks.example.org/token", "ftp://h/token", "file:///etc/token", "https:///token", "https://",
        "https://user:token@h/", "https://user@h/token", "https://h/token#part", "https://h/to ken",
        "https://h/token\r\n", "https://h/\xc3\xa4token", "gopher://h/token", "javascript:token"}) {
    const auto origin = OriginOfWebhook(address);
    ASSERT_FALSE(origin.ok()) << address;
    EXPECT_EQ(std::string(origin.status().message()).find("token"), std::string::npos) << origin.status();
  }
  EXPECT_FALSE(OriginOfWebhook("https://h/" + std::string(kWebhookAddressBytesMax, 'a')).ok());
}

TEST(WebhookAddress, WrittenAddressesMustBeAllowed) {
  const AddressRanges none;
  EXPECT_TRUE(CheckWebhook("https://hooks.example.org/x", none).ok());
  EXPECT_TRUE(CheckWebhook("https://1.1.1.1/x", none).ok());
  // libcurl takes the third and the fourth for 127.0.0.1.
  for (const std::string address : {"http://127.0.0.1/x", "http://[::1]/x", "http://2130706433/x", "http://0x7f.1/x",
                                    "http://localhost/x", "http://[::ffff:10.0.0.1]/x"}) {
    EXPECT_FALSE(CheckWebhook(address, none).ok()) << address;
  }
  EXPECT_TRUE(CheckWebhook("http://127.0.0.1:9000/x", Allowed("127.0.0.0/8")).ok());
  EXPECT_FALSE(CheckWebhook("http://10.0.0.1/x", Allowed("127.0.0.0/8")).ok());
}

}  // namespace
}  // namespace viewcount
