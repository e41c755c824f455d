// Tests how connections end. They end when the server stops, when peers are silent, and when there are too many peers.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "tests/unit/grpc/grpc_fixture.h"
#include "tests/unit/grpc/raw_client.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class EndingTest : public GrpcServerTest {
 protected:
  EndingTest() : client_(address()) { client_.Begin(); }
  void Stop() {
    stop_ = std::jthread([&] {
      const auto begun = steady_clock::now();
      server_->Stop(std::chrono::seconds(10));
      took_ = steady_clock::now() - begun;
    });
  }
  // Waits for the end of the stop and returns its duration.
  steady_clock::duration Stopped() {
    stop_.join();
    return took_;
  }

  RawClient client_;
  steady_clock::duration took_{};
  std::jthread stop_;
};

TEST_F(EndingTest, StopAsksFirstAndTakesCallsThatWereOnTheirWay) {
  client_.Call(1, kLane, "x");
  ASSERT_TRUE(lane_.Await(1));
  Stop();
  ASSERT_TRUE(client_.Await([&] { return !client_.pings().empty(); }));
  EXPECT_EQ(client_.goaway(), uint32_t{NGHTTP2_NO_ERROR});
  ASSERT_EQ(client_.goaway_streams(), std::vector<int32_t>{std::numeric_limits<int32_t>::max()});
  // The call begins before the peer has read the GOAWAY, so it is answered.
  client_.Call(3, kEcho, "on its way");
  ASSERT_TRUE(client_.AwaitEnd(3));
  EXPECT_EQ(client_.header(3, "grpc-status"), "0");
  client_.AnswerPings();
  ASSERT_TRUE(client_.Await([&] { return client_.goaway_streams().size() == 2; }));
  EXPECT_EQ(client_.goaway_streams()[1], 3);
  // The call begins after the final GOAWAY. It is ignored completely and disturbs no other call.
  client_.Call(5, kEcho, "too late");
  ASSERT_TRUE(client_.AwaitAllTaken());
  lane_.Answer();
  ASSERT_TRUE(client_.AwaitEnd(1));
  EXPECT_EQ(client_.header(1, "grpc-status"), "0");
  EXPECT_TRUE(client_.IsClosed());
  EXPECT_FALSE(client_.stream(5).ended);
  client_.Vanish();
  EXPECT_LT(Stopped(), std::chrono::seconds(5));
}

// A client library repeats calls above the last stream of the GOAWAY, so the server must not have processed such a
// call.
TEST_F(EndingTest, CallsThatComeWithTheAnswerToThePingAreServedOrNotTaken) {
  client_.Call(1, kEcho, "x");
  ASSERT_TRUE(client_.AwaitEnd(1));
  Stop();
  ASSERT_TRUE(client_.Await([&] { return !client_.pings().empty(); }));
  const std::string ping = client_.pings()[0];
  std::string frames = RawClient::Frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, ping);
  for (int32_t stream = 3; stream < 50; stream += 2) {
    frames += RawClient::Headers(stream, kEcho) + RawClient::Data(stream, RawClient::Message("y"), true);
  }
  client_.Send(frames);
  EXPECT_TRUE(client_.IsClosed());
  ASSERT_EQ(client_.goaway_streams().size(), 2u);
  for (int32_t stream = 3; stream < 50; stream += 2) {
    EXPECT_EQ(client_.stream(stream).ended, stream <= client_.goaway_streams()[1]) << stream;
  }
}

TEST_F(EndingTest, PeerThatDoesNotAnswerThePingGetsTheLastGoAway) {
  client_.Call(1, kEcho, "x");
  ASSERT_TRUE(client_.AwaitEnd(1));
  Stop();
  ASSERT_TRUE(client_.Await([&] { return client_.goaway_streams().size() == 2; }));
  EXPECT_EQ(client_.goaway_streams()[1], 1);
  EXPECT_TRUE(client_.IsClosed());
  client_.Vanish();
  EXPECT_LT(Stopped(), std::chrono::seconds(5));
}

// The server reads bytes that arrive between GOAWAY and the peer's own end. Unread bytes would make the kernel send a
// reset. The peer would then lose data that it has not read yet.
TEST_F(EndingTest, WhatAnIdlePeerSendsMeanwhileCausesNoReset) {
  client_.Call(1, kBig, "1000000");
  client_.Send(RawClient::WindowUpdate(0, 1 << 30) + RawClient::WindowUpdate(1, 1 << 30));
  ASSERT_TRUE(client_.AwaitEnd(1));
  Stop();
  ASSERT_TRUE(client_.Await([&] { return !client_.pings().empty(); }));
  client_.AnswerPings();
  ASSERT_TRUE(client_.Await([&] { return client_.goaway_streams().size() == 2; }));
  // By now the server has shut down its sending side, or does so soon.
  const auto begun = steady_clock::now();
  while (steady_clock::now() - begun < milliseconds(200)) {
    ASSERT_TRUE(client_.Send(RawClient::Frame(NGHTTP2_PING, 0, 0, "bandwidt")));
    std::this_thread::sleep_for(milliseconds(20));
  }
  // The connection ends in order, without ECONNRESET.
  EXPECT_TRUE(client_.IsClosed());
  EXPECT_EQ(errno, 0);
  client_.Vanish();
  EXPECT_LT(Stopped(), std::chrono::seconds(5));
}

TEST_F(EndingTest, StopWaitsLessThanASecondForIdlePeers) {
  RawClient silent(address());
  client_.Call(1, kEcho, "x");
  ASSERT_TRUE(client_.AwaitEnd(1));
  Stop();
  EXPECT_LT(Stopped(), std::chrono::seconds(2));
}

// The following tests are about silent peers.

class SilenceTest : public GrpcServerTest {
 protected:
  SilenceTest()
      : GrpcServerTest(
            1, {.greeting_max = milliseconds(50), .peer_check_interval = milliseconds(20), .silent_checks_max = 3}) {}
};

TEST_F(SilenceTest, PeerThatNeverGreetsIsClosed) {
  RawClient client(address());
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(SilenceTest, SilentPeerGetsAPingAndIsClosed) {
  RawClient client(address());
  client.Begin();
  client.Call(1, kLane, "x");
  ASSERT_TRUE(lane_.Await(1));
  ASSERT_TRUE(client.Await([&] { return !client.pings().empty(); }));
  EXPECT_TRUE(client.IsClosed());
  EXPECT_FALSE(client.stream(1).ended);
}

TEST_F(SilenceTest, PeerThatAnswersPingsStays) {
  RawClient client(address());
  client.Begin();
  client.Call(1, kLane, "x");
  ASSERT_TRUE(lane_.Await(1));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client.Await([&] { return !client.pings().empty(); }));
    client.AnswerPings();
  }
  lane_.Answer();
  EXPECT_TRUE(client.AwaitEnd(1));
}

// The following tests are about many peers.

class ManyPeersTest : public GrpcServerTest {
 protected:
  ManyPeersTest()
      : GrpcServerTest(2, {.connections_max = 4, .connections_per_address_max = 3},
                       {.refused =
                            [this](AcceptedPeers::Refusal refusal) {
                              EXPECT_EQ(refusal, AcceptedPeers::Refusal::kTooManyOfAddress);
                              ++refused_;
                            },
                        .displaced = [this] { ++displaced_; }}) {}
  std::unique_ptr<RawClient> Greeted() {
    auto client = std::make_unique<RawClient>(address());
    client->Begin();
    client->Call(1, kEcho, "x");
    EXPECT_TRUE(client->AwaitEnd(1));
    return client;
  }

  std::atomic<int> refused_{0};
  std::atomic<int> displaced_{0};
};

TEST_F(ManyPeersTest, SilentConnectionsMakeRoomForHonestOnes) {
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(std::make_unique<RawClient>(address()));
  ASSERT_TRUE(Eventually([&] { return server_->connections() == 3; }));
  const auto honest = Greeted();
  EXPECT_EQ(honest->header(1, "grpc-status"), "0");
  // The server has closed the connection that came first.
  EXPECT_TRUE(silent[0]->IsClosed());
  EXPECT_EQ(displaced_, 1);
  EXPECT_EQ(refused_, 0);
}

TEST_F(ManyPeersTest, OneAddressMayHaveSoManyConnections) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(Greeted());
  RawClient fourth(address());
  EXPECT_TRUE(fourth.IsClosed());
  EXPECT_EQ(refused_, 1);
  clients.pop_back();
  ASSERT_TRUE(Eventually([&] { return server_->connections() == 2; }));
  EXPECT_EQ(Greeted()->header(1, "grpc-status"), "0");
}

TEST(AcceptedPeersTest, AllAddressesTogetherHaveALimit) {
  int closed = 0;
  int displaced = 0;
  size_t open = 0;
  AcceptedPeers peers({.connections_max = 2, .connections_per_address_max = 2},
                      {.open = [&](size_t now) { open = now; }, .displaced = [&] { ++displaced; }});
  auto first = peers.Admit("a", [&] { ++closed; }).ticket;
  const auto second = peers.Admit("b", [] {}).ticket;
  first->Greeted();
  second->Greeted();
  const auto refused = peers.Admit("c", [] {});
  EXPECT_EQ(refused.ticket, nullptr);
  EXPECT_EQ(refused.refusal, AcceptedPeers::Refusal::kTooMany);
  first.reset();
  const auto third = peers.Admit("c", [&] { ++closed; });
  EXPECT_NE(third.ticket, nullptr);
  // This peer is still silent, so its connection is closed in favour of the next one.
  EXPECT_NE(peers.Admit("d", [] {}).ticket, nullptr);
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(displaced, 1);
  EXPECT_EQ(open, 2u);
}

}  // namespace
}  // namespace viewcount
