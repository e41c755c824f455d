#include "service/http/client_trust.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::make_address;

class ClientTrustTest : public testing::Test {
 protected:
  Client Find(const std::string& peer, const std::vector<std::string>& forwarded_for, const std::string& origin = "") {
    HttpFields fields;
    for (const std::string& value : forwarded_for) fields.insert("X-Forwarded-For", value);
    if (!origin.empty()) fields.set(http::field::origin, origin);
    return trust_.Find(fields, make_address(peer));
  }

  ClientTrust trust_{{.proxies = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.1", "10.0.0.0/24"}),
                      .backends = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.1", "10.0.7.0/24"})}};
};

TEST_F(ClientTrustTest, WithoutAProxyTheClientIsThePeer) {
  EXPECT_EQ(Find("203.0.113.9", {}).address, make_address("203.0.113.9"));
  EXPECT_FALSE(Find("203.0.113.9", {}).trusted_backend);
  EXPECT_TRUE(Find("10.0.7.1", {}).trusted_backend);
  EXPECT_TRUE(Find("127.0.0.1", {}).trusted_backend);
}

TEST_F(ClientTrustTest, AProxyTellsTheClient) {
  const Client client = Find("127.0.0.1", {"203.0.113.9"});
  EXPECT_EQ(client.address, make_address("203.0.113.9"));
  EXPECT_FALSE(client.trusted_backend);
  EXPECT_TRUE(Find("10.0.0.3", {"10.0.7.1"}).trusted_backend);
}

TEST_F(ClientTrustTest, OnlyWhatProxiesWroteIsBelieved) {
  // The client itself sent the first entry. The proxy added the address that it saw.
  const Client client = Find("127.0.0.1", {"127.0.0.1, 203.0.113.9"});
  EXPECT_EQ(client.address, make_address("203.0.113.9"));
  EXPECT_FALSE(client.trusted_backend);
  EXPECT_EQ(Find("127.0.0.1", {"10.0.7.1", "203.0.113.9"}).address, make_address("203.0.113.9"));
}

TEST_F(ClientTrustTest, ChainsOfProxiesAreFollowed) {
  EXPECT_EQ(Find("127.0.0.1", {"198.51.100.1, 203.0.113.9,10.0.0.5", " 10.0.0.6 "}).address,
            make_address("203.0.113.9"));
  // The list names proxies only.
  EXPECT_EQ(Find("127.0.0.1", {"10.0.0.5"}).address, make_address("10.0.0.5"));
}

TEST_F(ClientTrustTest, APeerThatIsNoProxyIsNotBelieved) {
  const Client client = Find("203.0.113.9", {"127.0.0.1"});
  EXPECT_EQ(client.address, make_address("203.0.113.9"));
  EXPECT_FALSE(client.trusted_backend);
  // A backend that is not a known proxy forwards a request. It may be a proxy that the configuration does not name.
  EXPECT_FALSE(Find("10.0.7.1", {"203.0.113.9"}).trusted_backend);
}

TEST_F(ClientTrustTest, WhatIsNoAddressTrustsNobody) {
  for (const char* value : {"", "unknown", "127.0.0.1:http", "127.0.0.1,", "\"127.0.0.1\""}) {
    EXPECT_FALSE(Find("127.0.0.1", {value}).trusted_backend) << value;
  }
}

TEST_F(ClientTrustTest, WhoAsksThroughAProxyThatNamesNoAddressIsNotKnown) {
  for (const char* value : {"", "unknown", "203.0.113.9:x", "203.0.113.9,", "203.0.113.9, unknown", "\xFF", "[", "[]",
                            "[::1", "[::1]x", "[::1]:x", "::1]", ":80"}) {
    EXPECT_FALSE(Find("127.0.0.1", {value}).known) << value;
  }
  EXPECT_FALSE(Find("127.0.0.1", {std::string(20'000, '1')}).known);
  EXPECT_FALSE(Find("127.0.0.1", {std::string("203.0.113.9\0", 12)}).known);
  EXPECT_TRUE(Find("127.0.0.1", {"unknown, 203.0.113.9"}).known);
  EXPECT_TRUE(Find("203.0.113.9", {"unknown"}).known) << "it is the peer";
  EXPECT_TRUE(Find("127.0.0.1", {}).known);
}

TEST_F(ClientTrustTest, PortsAndBracketsOfAProxyAreNoPartOfTheAddress) {
  EXPECT_EQ(Find("127.0.0.1", {"203.0.113.9:5123"}).address, make_address("203.0.113.9"));
  EXPECT_EQ(Find("127.0.0.1", {"[2001:db8::1]:443"}).address, make_address("2001:db8::1"));
  EXPECT_EQ(Find("127.0.0.1", {"[2001:db8::1]"}).address, make_address("2001:db8::1"));
  EXPECT_EQ(Find("127.0.0.1", {"2001:db8::1"}).address, make_address("2001:db8::1"));
  EXPECT_EQ(Find("127.0.0.1", {"fe80::1%eth0"}).address, make_address("fe80::1"));
  EXPECT_EQ(Find("127.0.0.1", {"203.0.113.9:1, 10.0.0.5:2"}).address, make_address("203.0.113.9"));
}

TEST_F(ClientTrustTest, TheVisitorThatABackendNamesIsFoundBehindItsProxies) {
  EXPECT_EQ(trust_.FindNamed("203.0.113.9"), make_address("203.0.113.9"));
  EXPECT_EQ(trust_.FindNamed(" 2001:db8::9\t"), make_address("2001:db8::9"));
  // The proxy in front of the backend added the address that it saw.
  EXPECT_EQ(trust_.FindNamed("198.51.100.1, 203.0.113.9, 10.0.0.5"), make_address("203.0.113.9"));
  EXPECT_EQ(trust_.FindNamed("198.51.100.1, 203.0.113.9"), make_address("203.0.113.9"));
  EXPECT_EQ(trust_.FindNamed("127.0.0.1"), make_address("127.0.0.1")) << "who looks may be on this machine";
  for (const char* list : {"", ",", "unknown", "unknown, 10.0.0.5", "203.0.113.9, unknown", "203.0.113.9,"}) {
    EXPECT_FALSE(trust_.FindNamed(list)) << list;
  }
}

TEST_F(ClientTrustTest, FieldsOfOneNameAreOneList) {
  HttpFields fields;
  EXPECT_FALSE(ListOf(fields, "X-Some"));
  fields.insert("X-Some", "a, b");
  fields.insert("X-Other", "z");
  fields.insert("x-some", "c");
  EXPECT_EQ(ListOf(fields, "X-SOME"), "a, b,c");
  fields.insert("X-Empty", "");
  EXPECT_EQ(ListOf(fields, "X-Empty"), "");
}

TEST_F(ClientTrustTest, ABrowserIsNoBackend) {
  EXPECT_FALSE(Find("127.0.0.1", {}, "https://news.example").trusted_backend);
  EXPECT_FALSE(Find("127.0.0.1", {}, "null").trusted_backend);
}

TEST_F(ClientTrustTest, OnlyTheChosenHeaderNamesTheClient) {
  for (const std::string_view name : kForwardingHeaders) {
    trust_.Set({.proxies = *AddressRanges::Parse(std::vector<std::string>{"10.0.0.0/24"}),
                .backends = {},
                .header = std::string(name)});
    HttpFields fields;
    for (const std::string_view other : kForwardingHeaders) fields.set(other, "198.51.100.1");
    fields.set(name, name == "Forwarded" ? "for=203.0.113.9;proto=https" : "203.0.113.9");
    EXPECT_EQ(trust_.Find(fields, make_address("10.0.0.1")).address, make_address("203.0.113.9")) << name;
    EXPECT_EQ(trust_.Find(fields, make_address("203.0.113.1")).address, make_address("203.0.113.1")) << name;
  }
}

TEST_F(ClientTrustTest, OnAPrivatePortEveryoneIsABackendWhoseRequestWasNotForwarded) {
  trust_.Set(
      {.proxies = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.1"}), .backends = {}, .is_private = true});
  HttpFields fields;
  EXPECT_TRUE(trust_.Find(fields, make_address("127.0.0.1")).trusted_backend);
  EXPECT_TRUE(trust_.IsBackend(fields, make_address("192.168.7.1")));
  for (const std::string_view name : kForwardingHeaders) {
    HttpFields forwarded;
    forwarded.set(name, "127.0.0.1");
    EXPECT_FALSE(trust_.Find(forwarded, make_address("127.0.0.1")).trusted_backend) << name;
    EXPECT_FALSE(trust_.IsBackend(forwarded, make_address("192.168.7.1"))) << name;
  }
  fields.set(http::field::origin, "null");
  EXPECT_FALSE(trust_.Find(fields, make_address("127.0.0.1")).trusted_backend);
}

TEST_F(ClientTrustTest, WithoutBackendsNobodyIsOneOnAPublicPort) {
  trust_.Set({.proxies = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.0/8", "::1"}), .backends = {}});
  EXPECT_FALSE(Find("127.0.0.1", {}).trusted_backend);
  EXPECT_FALSE(Find("127.0.0.1", {"127.0.0.1"}).trusted_backend);
  EXPECT_FALSE(Find("::1", {}).trusted_backend);
}

TEST_F(ClientTrustTest, ProxiesThatDoNotNameTheirClientAreNoted) {
  std::vector<std::string> noted;
  trust_.Set({.proxies = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.1"}),
              .backends = *AddressRanges::Parse(std::vector<std::string>{"10.0.7.0/24"}),
              .unnamed = [&](const auto& proxy) { noted.push_back(proxy.to_string()); }});
  Find("127.0.0.1", {"203.0.113.9"});
  Find("203.0.113.9", {});
  Find("10.0.7.1", {});
  EXPECT_TRUE(noted.empty());
  Find("127.0.0.1", {});
  trust_.NoteUnnamed(trust_.Find(std::nullopt, true, make_address("127.0.0.1")), false, make_address("127.0.0.1"));
  EXPECT_EQ(noted, (std::vector<std::string>{"127.0.0.1", "127.0.0.1"}));
}

TEST(Forwarded, ItsAddressesBecomeAList) {
  EXPECT_EQ(ListOfForwarded("for=192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(ListOfForwarded("For=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.1, for=192.0.2.2"),
            "[2001:db8::1]:4711, 192.0.2.2");
  EXPECT_EQ(ListOfForwarded("proto=https;for=\"192.0.2.1:80\""), "192.0.2.1:80");
  EXPECT_EQ(ListOfForwarded("for=_hidden, for=unknown, by=10.0.0.1"), "_hidden, unknown, unknown");
  EXPECT_EQ(ListOfForwarded(""), "unknown");
}

// An attacker writes the first elements, and the proxy appends the last one.
TEST(Forwarded, QuotesHideNoElement) {
  EXPECT_EQ(ListOfForwarded("for=\"127.0.0.1, 10.0.0.1\", for=192.0.2.1"), "unknown, 192.0.2.1");
  for (const char* attack : {"for=\"", "for=\"x\\", "for=a;b=\""}) {
    const std::string list = ListOfForwarded(std::string(attack) + ", for=192.0.2.1");
    EXPECT_EQ(list.find("127"), std::string::npos) << list;
    const std::string last = list.substr(list.rfind(' ') + 1);
    EXPECT_TRUE(last == "192.0.2.1" || last == "unknown" || last == "a") << list;
  }
}

}  // namespace
}  // namespace viewcount
