#include "tests/fault/kill_run.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "tests/fault/comparison.h"
#include "tests/support/eventually.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Redis is not killed in the first seconds. So the data set's first keys are older than anything that a cut removes.
constexpr double kRedisKillsFrom = 4;
// The probability that a service is killed again just after its start, and the longest time until then.
constexpr double kEarlyKillShare = 0.4;
constexpr int kEarlyKillMilliseconds = 400;
// The longest times until a killed server is started again.
constexpr int kServiceAwayMilliseconds = 200;
constexpr int kRedisAwayMilliseconds = 1'500;
constexpr seconds kReadyWait{60};
constexpr seconds kAcknowledgeWait{60};
constexpr int kWatchedArticles = 100;

double SecondsSince(steady_clock::time_point time) {
  return std::chrono::duration<double>(steady_clock::now() - time).count();
}

// Returns the end of a log, which contains the reason of a failure.
std::string TailOf(const std::string& log) { return log.substr(log.size() - std::min<size_t>(log.size(), 30'000)); }

}  // namespace

KillRun::KillRun(const KillOptions& options)
    : options_(options),
      random_(options.seed),
      service_({.data_dir = folder_.path() + "/data",
                .redis = StartRedis(),
                .flags = {"--flush-interval", "500ms", "--lanes", std::to_string(options.lanes)},
                .environment = {}}),
      truth_(options.articles) {}

std::string KillRun::StartRedis() {
  // The append-only file is rewritten often, so that some kills happen during a rewrite.
  std::vector<std::string> words = {"--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-min-size",
                                    "16mb"};
  const auto user = options_.redis_user.options();
  words.insert(words.end(), user.begin(), user.end());
  const auto watch = [this](RedisProcess& server) {
    append_only_files_[&server] = std::make_unique<AppendOnlyFile>(server.folder());
  };
  if (options_.master_changes > 0) {
    pair_ = std::make_unique<RedisPair>(words, options_.seed);
    watch(pair_->master());
    watch(pair_->replica());
    return pair_->proxy().url(options_.redis_user.credentials());
  }
  single_ = std::make_unique<RedisProcess>(words);
  watch(*single_);
  if (user.empty()) return single_->url();
  proxy_ = std::make_unique<FaultyProxy>(single_->socket_path(), options_.seed);
  return proxy_->url(options_.redis_user.credentials());
}

KillRun::~KillRun() = default;

KillRun::Time KillRun::RandomTime(double from, double to) {
  const double after = std::uniform_real_distribution<double>(from, std::max(from, to))(random_);
  return began_ + std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(after));
}

std::vector<KillRun::Time> KillRun::RandomTimes(int count, double from, double to) {
  std::vector<Time> times(static_cast<size_t>(count));
  for (Time& time : times) time = RandomTime(from, to);
  std::ranges::sort(times, std::greater<>());
  return times;
}

milliseconds KillRun::RandomPause(int most) {
  return milliseconds(std::uniform_int_distribution<int>(0, most)(random_));
}

bool KillRun::Fail(const std::string& what) const {
  std::printf("FAILED: %s\n--- end of viewcountd's log\n%s\n---\n", what.c_str(), TailOf(service_.Log()).c_str());
  return false;
}

void KillRun::KillService() {
  service_.Kill();
  ++service_kills_;
  std::this_thread::sleep_for(RandomPause(kServiceAwayMilliseconds));
  service_.Start();
}

void KillRun::KillRedis() {
  replica_whole_ = pair_ != nullptr && pair_->ReplicaIsWhole();
  dead_redis_ = &redis();
  dead_redis_->Kill();
  const auto now = steady_clock::now();
  if (++redis_kills_ % 2 == 0) {
    const uint64_t bytes = append_only_files_.at(dead_redis_)->CutBack(random_, now);
    ++cuts_;
    bytes_cut_ += bytes;
  }
  redis_back_ = now + RandomPause(kRedisAwayMilliseconds);
}

void KillRun::ReviveRedis() {
  if (pair_ != nullptr) {
    pair_->Revive(*dead_redis_);
  } else {
    dead_redis_->Start();
  }
  redis_back_.reset();
}

bool KillRun::ChangeMaster() {
  const bool dead = redis_back_.has_value() && dead_redis_ == &redis();
  // A replica whose master is dead reports a broken link. It can be promoted if it was whole when the master was
  // killed.
  if (dead ? !replica_whole_ : !pair_->ReplicaIsWhole()) return false;
  pair_->Promote();
  ++master_changes_;
  changes_from_dead_masters_ += dead ? 1 : 0;
  return true;
}

bool KillRun::KillAround() {
  const double end = static_cast<double>(options_.duration.count());
  // Times are taken from the end of each vector.
  std::vector<Time> service_times = RandomTimes(options_.service_kills, 1, end);
  std::vector<Time> redis_times = RandomTimes(options_.redis_kills, kRedisKillsFrom, end);
  std::vector<Time> change_times = RandomTimes(options_.master_changes, kRedisKillsFrom, end);
  while (!service_times.empty() || !redis_times.empty() || !change_times.empty() || redis_back_ ||
         SecondsSince(began_) < end) {
    std::this_thread::sleep_for(milliseconds(5));
    const Time now = steady_clock::now();
    if (service_.HasEnded()) {
      return Fail(absl::StrCat("viewcountd ended by itself, exit code ", service_.WaitForEnd({}).value_or(-1)));
    }
    if (redis_back_ && *redis_back_ <= now) ReviveRedis();
    if (!change_times.empty() && change_times.back() <= now && ChangeMaster()) change_times.pop_back();
    if (!redis_back_ && !redis_times.empty() && redis_times.back() <= now) {
      redis_times.pop_back();
      KillRedis();
    }
    if (service_times.empty() || service_times.back() > now) continue;
    service_times.pop_back();
    KillService();
    if (!service_times.empty() && std::bernoulli_distribution(kEarlyKillShare)(random_)) {
      // The next kill comes now: during the start-up, or just after it.
      service_times.back() = steady_clock::now() + RandomPause(kEarlyKillMilliseconds);
      ++early_service_kills_;
    }
  }
  return true;
}

void KillRun::Watch() {
  auto channel = service_.NewChannel();
  std::vector<uint64_t> least(kWatchedArticles);
  while (watching_) {
    for (int i = 0; i < kWatchedArticles; ++i) least[i] = truth_.acknowledged(i);
    v1::GetCountsResponse response;
    const grpc::Status status = GetCounts(channel, truth_, 0, kWatchedArticles, response);
    if (!status.ok()) {
      ++inexact_answers_;
      std::this_thread::sleep_for(milliseconds(5));
      continue;
    }
    ++exact_answers_;
    for (int i = 0; i < kWatchedArticles; ++i) {
      const uint64_t views = response.counts(i).views();
      const uint64_t most = truth_.offered(i);
      if (views >= least[i] && views <= most) continue;
      if (wrong_answers_++ > 0) continue;
      first_wrong_answer_ = absl::StrCat("; ", SecondsSince(began_), " s after the start ", truth_.IdOf(i), " had ",
                                         views, ", not ", least[i], " to ", most);
    }
  }
}

bool KillRun::CheckEnd() {
  if (!service_.WaitUntilReady(kReadyWait)) return Fail("viewcountd does not answer");
  const auto channel = service_.NewChannel();
  if (!FlushAll(channel)) return Fail("views do not get to Redis");
  bool good = SameEverywhere(channel, redis(), truth_);
  if (wrong_answers_ > 0) good = false;
  if (!AuditIsClean(service_.server())) good = false;
  return good || Fail("counts differ from the truth");
}

bool KillRun::Run() {
  began_ = steady_clock::now();
  service_.Start();
  if (!service_.WaitUntilReady(kReadyWait)) return Fail("viewcountd does not answer");
  began_ = steady_clock::now();
  Load load({.server = service_.server(),
             .writers = options_.writers,
             .views_per_second = options_.views_per_second,
             .seed = options_.seed},
            truth_);
  std::thread watcher([this] { Watch(); });
  bool good = KillAround();
  const auto patience = good ? milliseconds(kAcknowledgeWait) : milliseconds(0);
  const Load::Outcome outcome = load.Stop(patience);
  const double took = SecondsSince(began_);
  watching_ = false;
  watcher.join();
  std::printf(
      "%.1f s, %.0f views/s of %llu wanted; %d service kills (%d of them just after a start), %d Redis kills, %d "
      "master "
      "changes (%d of them from a dead one)\n"
      "the append-only file was cut %d times by %llu bytes in all\nload: %s\n"
      "while killing: %llu exact answers, %llu others, %llu exact counts wrong%s\n",
      took, static_cast<double>(truth_.total()) / took, static_cast<unsigned long long>(options_.views_per_second),
      service_kills_, early_service_kills_, redis_kills_, master_changes_, changes_from_dead_masters_, cuts_,
      static_cast<unsigned long long>(bytes_cut_), outcome.ToString().c_str(),
      static_cast<unsigned long long>(exact_answers_), static_cast<unsigned long long>(inexact_answers_),
      static_cast<unsigned long long>(wrong_answers_), first_wrong_answer_.c_str());
  std::fflush(stdout);
  if (good && outcome.unacknowledged > 0) good = Fail("views were not acknowledged in time");
  return good && CheckEnd();
}

}  // namespace viewcount
