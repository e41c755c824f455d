#include "service/grpc/http2/grpc_listener.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "service/base/address.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/grpc/raw_client.h"

namespace viewcount {
namespace {

class GrpcListenerTest : public testing::Test {
 protected:
  std::unique_ptr<GrpcListener> Open(const std::string& address) {
    auto listener = GrpcListener::Open(context_, address);
    EXPECT_TRUE(listener.ok()) << listener.status();
    return listener.ok() ? *std::move(listener) : nullptr;
  }
  // Connects to the listener's port at another host. The kernel accepts the connection.
  static void ExpectReached(const GrpcListener& listener, const std::string& host) {
    const uint16_t port = ParseHostPort(listener.address())->port;
    EXPECT_NE(port, 0);
    RawClient client(HostPort{host, port}.ToString());
  }

  boost::asio::io_context context_;
  TemporaryDirectory directory_;
};

TEST_F(GrpcListenerTest, WildcardsServeBothFamilies) {
  for (const char* address : {"[::]:0", "0.0.0.0:0"}) {
    const auto listener = Open(address);
    ASSERT_NE(listener, nullptr);
    ExpectReached(*listener, "127.0.0.1");
    ExpectReached(*listener, "::1");
  }
}

TEST_F(GrpcListenerTest, HostNameServesAllOfItsAddresses) {
  const auto listener = Open("localhost:0");
  ASSERT_NE(listener, nullptr);
  EXPECT_TRUE(listener->address().starts_with("localhost:"));
  ExpectReached(*listener, "127.0.0.1");
  if (listener->acceptors().size() > 1) ExpectReached(*listener, "::1");
}

TEST_F(GrpcListenerTest, AddressInUseIsNamed) {
  const auto listener = Open("127.0.0.1:0");
  ASSERT_NE(listener, nullptr);
  const auto second = GrpcListener::Open(context_, listener->address());
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find(listener->address()), std::string::npos);
  EXPECT_FALSE(GrpcListener::Open(context_, "192.0.2.1:0").ok());
}

TEST_F(GrpcListenerTest, UnixSocketIsServedAndRemoved) {
  const std::string path = directory_.path() + "/grpc.sock";
  for (const std::string prefix : {"unix:", "unix://"}) {
    auto listener = Open(prefix + path);
    ASSERT_NE(listener, nullptr);
    EXPECT_EQ(listener->address(), "unix:" + path);
    RawClient client(listener->address());
    // The path is in use.
    EXPECT_FALSE(GrpcListener::Open(context_, prefix + path).ok());
    listener.reset();
    EXPECT_FALSE(std::filesystem::exists(path));
  }
}

TEST_F(GrpcListenerTest, SocketThatAProcessLeftIsReplacedAndAnotherFileIsNot) {
  const std::string path = directory_.path() + "/grpc.sock";
  { boost::asio::local::stream_protocol::acceptor left(context_, path); }
  ASSERT_TRUE(std::filesystem::exists(path));
  EXPECT_NE(Open("unix:" + path), nullptr);
  std::ofstream(path) << "a file";
  EXPECT_FALSE(GrpcListener::Open(context_, "unix:" + path).ok());
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(GrpcListenerTest, ServedPathsHaveALimit) {
  EXPECT_TRUE(absl::IsInvalidArgument(GrpcListener::Open(context_, "unix:" + std::string(200, 'x')).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(GrpcListener::Open(context_, "unix:").status()));
}

TEST(AddressKeyTest, TellsNetworksApart) {
  using boost::asio::ip::tcp;
  const auto key = [](const char* address) {
    return AddressKey(tcp::endpoint(boost::asio::ip::make_address(address), 80));
  };
  EXPECT_EQ(key("192.0.2.1"), key("::ffff:192.0.2.1"));
  EXPECT_NE(key("192.0.2.1"), key("192.0.2.2"));
  EXPECT_EQ(key("2001:db8::1"), key("2001:db8::2"));
  EXPECT_NE(key("2001:db8::1"), key("2001:db8:0:1::1"));
  EXPECT_EQ(AddressKey(boost::asio::local::stream_protocol::endpoint("/tmp/x")), "");
}

}  // namespace
}  // namespace viewcount
