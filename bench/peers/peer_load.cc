// Sends views in the form of the systems that people use today: Redis commands, or packets for statsd. Prints one JSON
// object.
//
//   peer_load redis --port 6379 --command incr --connections 50 --pipeline 1 --seconds 5
//   peer_load udp --port 8125 --rate 300000 --seconds 5
//
// All data is created before the clock starts. The program uses one thread. It is bounded in time, and each connection
// is bounded in the commands that it has in flight.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "bench/peers/redis_load.h"
#include "bench/peers/udp_load.h"
#include "bench/peers/view_commands.h"

namespace viewcount {
namespace {

constexpr size_t kDraws = 1'000'000;

void Print(const PeerResult& result) {
  fmt::print("{{\"sent\": {}, \"views\": {}, \"errors\": {}, \"seconds\": {:.6f}}}\n", result.sent, result.answered,
             result.errors, result.seconds);
}

int Run(int count, char** words) {
  CLI::App app("Sends page views to Redis or statsd and prints what came of it as JSON.");
  size_t articles = 100'000;
  double seconds = 5;
  std::string command = "incr";
  RedisLoadOptions redis_options;
  UdpLoadOptions udp_options;
  const auto add_common = [&](CLI::App* load) {
    load->add_option("--articles", articles, "How many there are; drawn by Zipf's law with exponent 1.")
        ->check(CLI::Range(1, 10'000'000));
    load->add_option("--seconds", seconds, "For how long.")->check(CLI::Range(0.1, 600.0));
  };
  CLI::App* const redis = app.add_subcommand("redis", "Redis commands over TCP connections to a port of this machine.");
  redis->add_option("--port", redis_options.port, "The port.")->required();
  redis->add_option("--command", command, "incr or zincrby.")->check(CLI::IsMember({"incr", "zincrby"}));
  redis->add_option("--connections", redis_options.connections, "Connections.")->check(CLI::Range(1, 1'000));
  redis->add_option("--pipeline", redis_options.pipeline, "Commands that each has under way.")
      ->check(CLI::Range(1, 1'000));
  add_common(redis);
  CLI::App* const udp = app.add_subcommand("udp", "One statsd counter a packet, to a port of this machine.");
  udp->add_option("--port", udp_options.port, "The port.")->required();
  udp->add_option("--rate", udp_options.rate, "Packets a second.")->check(CLI::Range(1.0, 1e7));
  add_common(udp);
  app.require_subcommand(1);
  CLI11_PARSE(app, count, words);

  const auto duration = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  if (*redis) {
    redis_options.duration = duration;
    redis_options.lines_per_reply = command == "incr" ? 1 : 2;
    const auto form = command == "incr" ? ViewCommands::Form::kIncrement : ViewCommands::Form::kRank;
    Print(LoadRedis(ViewCommands(form, articles, kDraws), redis_options));
  } else {
    udp_options.duration = duration;
    Print(LoadUdp(ViewCommands(ViewCommands::Form::kStatsd, articles, kDraws), udp_options));
  }
  return 0;
}

}  // namespace
}  // namespace viewcount

int main(int count, char** words) {
  try {
    return viewcount::Run(count, words);
  } catch (const std::exception& error) {
    fmt::print(stderr, "peer_load: {}\n", error.what());
    return 1;
  }
}
