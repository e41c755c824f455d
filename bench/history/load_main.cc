// The program history_load: see --help.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "bench/history/history_store.h"
#include "service/base/status.h"
#include "service/base/text.h"

namespace viewcount::bench {
namespace {

constexpr char kDescription[] =
    R"(Fills an empty Redis with the counts that viewcountd would have written over many days: hashes and rankings of
all time, of each day, and of the last 8 days' hours; totals; descriptions of announced articles. Articles are born,
fade, or stay. The last day is today, in UTC. `viewcount audit` finds no difference in it.)";

constexpr char kFooter[] = R"(Exit codes:
  0  everything was written
  1  no Redis, or one that is not empty
  2  wrong usage

Examples:
  history_load --redis redis+unix:///tmp/redis.sock
  history_load --redis redis://127.0.0.1:6379 --articles 1000000 --days 400 --views-per-day 5000000
  history_load --redis redis+unix:///tmp/redis.sock --site news --seed 7 --announced 0)";

constexpr std::chrono::seconds kProgressInterval{5};
constexpr double kMebibyte = 1 << 20;

uint64_t UsedMemory(RedisPipe& pipe) {
  const auto info = pipe.Ask({"INFO", "memory"});
  const size_t at = info.ok() ? info->find("used_memory:") : std::string::npos;
  return at == std::string::npos ? 0 : std::stoull(info->substr(at + 12));
}

void PrintMemory(HistoryStore& store, const HistoryOptions& options, uint64_t used) {
  const HistoryTally& tally = store.tally();
  const auto per = [](uint64_t bytes, double count) { return count > 0 ? static_cast<double>(bytes) / count : 0; };
  const double pairs = static_cast<double>(options.articles) * static_cast<double>(options.days);
  fmt::print(
      "Redis memory: {:.0f} MiB, {:.1f} bytes for each of {} articles and {} days, {:.1f} for each count of a day\n",
      static_cast<double>(used) / kMebibyte, per(used, pairs), Grouped(options.articles), options.days,
      per(used, static_cast<double>(tally.day_counts)));
  const auto memory = store.ReadMemory(Shard{0});
  if (!memory.ok()) return;
  for (const auto& [kind, bytes] : *memory) {
    fmt::print("  {:<18} {:>8.0f} MiB (shard 00 times {})\n", kind,
               static_cast<double>(bytes * limits::kShards) / kMebibyte, limits::kShards);
  }
}

absl::Status Load(const HistoryOptions& options) {
  const auto address = ParseRedisAddress(options.redis);
  if (!address.ok()) return address.status();
  auto site = MakeSite(options.site, {.time_zone = "UTC"});
  if (!site.ok()) return site.status();
  auto pipe = RedisPipe::Connect(*address);
  if (!pipe.ok()) return pipe.status();
  const auto keys = pipe->Ask({"DBSIZE"});
  if (!keys.ok()) return keys.status();
  if (*keys != "0") {
    return absl::FailedPreconditionError(fmt::format(
        "Redis {} is not empty, it has {} keys; history_load only fills an empty one", address->ToString(), *keys));
  }
  const uint64_t used_before = UsedMemory(*pipe);
  const auto begun = std::chrono::steady_clock::now();
  const int64_t now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  HistoryStore store(options, *std::move(site), now, *pipe);
  auto told = begun;
  auto status = store.Write([&](size_t day, const HistoryTally& tally) {
    const auto time = std::chrono::steady_clock::now();
    if (time - told < kProgressInterval && day < options.days) return;
    told = time;
    fmt::print(stderr, "day {} of {}: {} counts of days, {} of hours\n", day, options.days, Grouped(tally.day_counts),
               Grouped(tally.hour_counts));
  });
  if (!status.ok()) return status;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const HistoryTally& tally = store.tally();
  fmt::print(
      "{} views: {} articles of all time, {} counts of days, {} of hours, {} announced articles, {} rankings with {} "
      "places\n",
      Grouped(tally.views), Grouped(tally.all_time_counts), Grouped(tally.day_counts), Grouped(tally.hour_counts),
      Grouped(tally.announced), Grouped(tally.rankings), Grouped(tally.ranked));
  fmt::print("written in {:.1f} s\n", seconds);
  PrintMemory(store, options, UsedMemory(*pipe) - used_before);
  return absl::OkStatus();
}

int Main(int argc, const char* const* argv) {
  HistoryOptions options;
  CLI::App app(kDescription, "history_load");
  app.footer(kFooter);
  app.add_option("--redis", options.redis, "The Redis to fill: redis://HOST:PORT/DB or redis+unix:///PATH")
      ->type_name("URL")
      ->required();
  app.add_option("--site", options.site, "The site")->type_name("NAME")->capture_default_str();
  app.add_option("--articles", options.articles, "Different articles, those to be born included")
      ->check(CLI::Range(size_t{1}, size_t{50'000'000}))
      ->capture_default_str();
  app.add_option("--days", options.days, "Days of history, today included")
      ->check(CLI::Range(size_t{1}, size_t{10'000}))
      ->capture_default_str();
  app.add_option("--views-per-day", options.views_per_day, "Average views of a day; more views need more memory")
      ->check(CLI::Range(1.0, 1e9))
      ->capture_default_str();
  app.add_option("--announced", options.announced, "Percentage of the articles with a description")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of all draws")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const absl::Status status = Load(options);
  if (status.ok()) return 0;
  fmt::print(stderr, "history_load: {}\n", ToStd(status.message()));
  return 1;
}

}  // namespace
}  // namespace viewcount::bench

int main(int argc, char** argv) { return viewcount::bench::Main(argc, argv); }
