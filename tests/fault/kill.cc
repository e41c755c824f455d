// Kills viewcountd and Redis under load and compares every count. Exit code 1 on any difference. See --help.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <random>

#include "tests/fault/kill_run.h"

int main(int argc, char** argv) {
  viewcount::KillOptions options;
  options.seed = std::random_device{}();
  int seconds = static_cast<int>(options.duration.count());
  CLI::App app(
      "Kills viewcountd and redis-server with SIGKILL at random moments under load; every view must count once.");
  app.add_option("--seconds", seconds, "Length of the load")->check(CLI::Range(1, 86'400))->capture_default_str();
  app.add_option("--service-kills", options.service_kills, "Of viewcountd")->capture_default_str();
  app.add_option("--redis-kills", options.redis_kills, "Of redis-server; every other one loses its last seconds")
      ->capture_default_str();
  app.add_option("--master-changes", options.master_changes,
                 "A replica becomes the master behind a TCP proxy, while connections to the old one stay open")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  app.add_option("--redis-user", options.redis_user.rules,
                 "viewcountd logs in as a user with these rules of ACL SETUSER; none: as the default user");
  app.add_option("--rate", options.views_per_second, "Views per second, at most")->capture_default_str();
  app.add_option("--writers", options.writers, "Writers of the client library")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--articles", options.articles, "Different articles")
      ->check(CLI::Range(1'000, 1'000'000))
      ->capture_default_str();
  app.add_option("--lanes", options.lanes, "Lanes of viewcountd")->capture_default_str();
  app.add_option("--seed", options.seed, "Repeats a run's random choices; printed");
  CLI11_PARSE(app, argc, argv);
  options.duration = std::chrono::seconds(seconds);
  std::printf("--seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::fflush(stdout);
  const bool good = viewcount::KillRun(options).Run();
  std::printf("%s, --seed %llu\n", good ? "passed" : "FAILED", static_cast<unsigned long long>(options.seed));
  return good ? 0 : 1;
}
