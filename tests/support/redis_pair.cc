#include "tests/support/redis_pair.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/support/eventually.h"
#include "tests/support/free_port.h"

namespace viewcount {
namespace {

constexpr std::chrono::seconds kFollowTimeout{20};

bool Has(RedisProcess& server, const std::string& line) {
  return server.Command({"INFO", "replication"}).find("\n" + line + "\r") != std::string::npos;
}

// Returns how much of the stream of writes the server has, as Redis reports it for masters and replicas alike.
std::string OffsetOf(RedisProcess& server) {
  constexpr std::string_view kName = "\nmaster_repl_offset:";
  const std::string info = server.Command({"INFO", "replication"});
  const size_t at = info.find(kName);
  return at == std::string::npos ? "" : info.substr(at + kName.size(), info.find('\r', at) - at - kName.size());
}

}  // namespace

RedisPair::RedisPair(std::vector<std::string> options, uint64_t seed) {
  for (size_t i = 0; i < 2; ++i) {
    ports_[i] = PickFreePort();
    // If an option appears twice, Redis uses the last value.
    std::vector<std::string> all = {
        "--port", std::to_string(ports_[i]),    "--bind", "127.0.0.1", "--repl-diskless-sync-delay",
        "0",      "--repl-ping-replica-period", "1"};
    all.insert(all.end(), options.begin(), options.end());
    servers_[i] = std::make_unique<RedisProcess>(all);
  }
  proxy_ = std::make_unique<FaultyProxy>(master().socket_path(), seed);
  Follow(replica());
  if (Eventually([this] { return ReplicaIsWhole(); }, kFollowTimeout)) return;
  std::fprintf(stderr, "test support: the replica does not follow its master\n");
  std::_Exit(EXIT_FAILURE);
}

void RedisPair::Follow(RedisProcess& server) {
  server.Command({"REPLICAOF", "127.0.0.1", std::to_string(ports_[master_])});
}

bool RedisPair::ReplicaIsWhole() {
  return replica().pid() != 0 && Has(replica(), "role:slave") && Has(replica(), "master_link_status:up");
}

void RedisPair::Promote() {
  replica().Command({"REPLICAOF", "NO", "ONE"});
  master_ = 1 - master_;
  proxy_->SetServer(master().socket_path());
  if (replica().pid() != 0) Follow(replica());
}

bool RedisPair::PromoteInOrder(std::chrono::milliseconds timeout) {
  // WAIT would wait for what this connection wrote, which is nothing.
  const auto in_step = [this] { return ReplicaIsWhole() && OffsetOf(master()) == OffsetOf(replica()); };
  if (!Eventually(in_step, timeout)) return false;
  Promote();
  return true;
}

void RedisPair::Revive(RedisProcess& server) {
  server.Start();
  if (&server != &master()) Follow(server);
}

}  // namespace viewcount
