// Measures how the viewer of a request is found, which is part of the cost of a beacon. Items are requests.
//
// The agents are those of people with their real frequency, and all addresses differ. `Hash` is the keyed hash alone.
// `Salts` finds the salt of the day. `FindClient` finds the client's address and trust. `FindVisitor` is everything
// that the fast path does for a beacon after reading it. After midnight this includes the hash with the salt of the day
// before. `Read` is the reading of the beacon.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "service/base/clock.h"
#include "service/http/visitor.h"
#include "service/visitors/viewer_hash.h"
#include "tests/support/agent_lists.h"

namespace viewcount {
namespace {

constexpr size_t kDrawn = 10'000;
constexpr int64_t kNoonUnixMs = int64_t{498'732} * 3'600'000;
constexpr int64_t kMidnightUnixMs = int64_t{498'720} * 3'600'000;

// A clock that stands still, but costs as much as the machine's clock. Thread-safe.
class StillClock final : public Clock {
 public:
  explicit StillClock(int64_t unix_ms) : unix_ms_(unix_ms) {}
  int64_t UnixMillis() const override {
    benchmark::DoNotOptimize(machine_.UnixMillis());
    return unix_ms_;
  }
  SteadyTime Now() const override { return machine_.Now(); }

 private:
  const SystemClock machine_;
  const int64_t unix_ms_;
};

struct Request {
  std::string text;
  boost::asio::ip::address peer;
};

const std::vector<Request>& Requests(bool forwarded) {
  static const auto make = [](bool through_proxy) {
    BrowserAgents browsers;
    std::mt19937_64 random(1);
    std::vector<Request> requests(kDrawn);
    for (Request& request : requests) {
      const boost::asio::ip::address_v4 address(static_cast<uint32_t>(random() | 0xC0000000));
      request.peer = through_proxy ? boost::asio::ip::make_address("127.0.0.1") : boost::asio::ip::address(address);
      request.text = "POST /v1/sites/portal/views HTTP/1.1\r\nHost: counts.example\r\nAccept: */*\r\nUser-Agent: " +
                     browsers.Draw(random) +
                     "\r\nOrigin: https://news.example\r\nReferer: https://news.example/\r\nContent-Type: "
                     "text/plain;charset=UTF-8\r\n" +
                     (through_proxy ? "X-Forwarded-For: " + address.to_string() + "\r\n" : std::string()) +
                     "Content-Length: 27\r\n\r\n{\"articleId\":\"/news/47111\"}";
    }
    return requests;
  };
  static const auto direct = make(false), through = make(true);
  return forwarded ? through : direct;
}

// The parts that find the viewer of a request, for one site with salts of two days. Used by one thread.
class Door {
 public:
  explicit Door(int64_t unix_ms) : clock_(unix_ms) {
    for (const uint32_t day : {20261122u, 20261123u}) salts.Put(site, day, RandomId<ViewerSalt>());
  }

  const Site site = *MakeSite("portal", {"UTC"});
  ViewerSalts salts;
  const ClientTrust trust{{.proxies = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.0/8", "::1"}),
                           .backends = *AddressRanges::Parse(std::vector<std::string>{"127.0.0.0/8", "::1"})}};

 private:
  const BotPatterns patterns_;
  const StillClock clock_;

 public:
  VisitorFinder finder{{trust, patterns_, salts, clock_}};
};

Client ClientOf(const Door& door, const Beacon& beacon, const Request& request) {
  const auto forwarded_for =
      beacon.forwarded_for.empty() ? std::nullopt : std::optional<std::string_view>(beacon.forwarded_for);
  return door.trust.Find(forwarded_for, !beacon.origin.empty(), request.peer);
}

// Calls `work(beacon, request)` with one request after the other.
template <typename Work>
void ForEach(benchmark::State& state, bool forwarded, const Work& work) {
  const auto& requests = Requests(forwarded);
  std::vector<Beacon> beacons;
  for (const Request& request : requests) {
    const auto beacon = ReadBeacon(request.text);
    if (!beacon) return state.SkipWithError("this is no beacon");
    beacons.push_back(*beacon);
  }
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(work(beacons[next], requests[next]));
    if (++next == requests.size()) next = 0;
  }
  state.SetItemsProcessed(state.iterations());
}

void Read(benchmark::State& state, bool forwarded) {
  ForEach(state, forwarded, [](const Beacon&, const Request& request) { return ReadBeacon(request.text); });
}

void Hash(benchmark::State& state) {
  const auto salt = RandomId<ViewerSalt>();
  ForEach(state, false, [&](const Beacon& beacon, const Request& request) {
    return ViewerHash(salt, "portal", request.peer, beacon.agent);
  });
}

void Salts(benchmark::State& state) {
  Door door(kNoonUnixMs);
  for (auto _ : state) benchmark::DoNotOptimize(door.salts.At(door.site, kNoonUnixMs));
  state.SetItemsProcessed(state.iterations());
}

void FindClient(benchmark::State& state, bool forwarded) {
  Door door(kNoonUnixMs);
  ForEach(state, forwarded,
          [&](const Beacon& beacon, const Request& request) { return ClientOf(door, beacon, request); });
}

void FindVisitor(benchmark::State& state, bool forwarded, int64_t unix_ms) {
  Door door(unix_ms);
  ForEach(state, forwarded, [&](const Beacon& beacon, const Request& request) {
    return door.finder.Find(beacon, ClientOf(door, beacon, request), door.site);
  });
}

BENCHMARK_CAPTURE(Read, direct, false);
BENCHMARK_CAPTURE(Read, through_proxy, true);
BENCHMARK(Hash);
BENCHMARK(Salts);
BENCHMARK_CAPTURE(FindClient, direct, false);
BENCHMARK_CAPTURE(FindClient, through_proxy, true);
BENCHMARK_CAPTURE(FindVisitor, direct, false, kNoonUnixMs);
BENCHMARK_CAPTURE(FindVisitor, through_proxy, true, kNoonUnixMs);
BENCHMARK_CAPTURE(FindVisitor, after_midnight, false, kMidnightUnixMs);

}  // namespace
}  // namespace viewcount
