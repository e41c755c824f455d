// Runs worlds from seeds on several cores, and reports which seed broke a promise. See `simulation --help`.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "service/base/check.h"
#include "tests/simulation/planted_bugs.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/violation.h"
#include "tests/simulation/world.h"

namespace viewcount::simulation {
namespace {

constexpr unsigned kSecondsPerSeedMax = 20;

struct Options {
  uint64_t seeds = 1'000;
  uint64_t from = 1;
  uint32_t processes = 2;
  bool verbose = false;
  bool twice = false;
  // Suppresses all output, so that only the failed seed is returned.
  bool quiet = false;
};

// Numbers that the workers share with the parent, however they end.
struct Progress {
  std::atomic<uint64_t> seed{0};
  std::atomic<uint64_t> done{0};
  std::atomic<uint64_t> events{0};
};

Trace* traced = nullptr;

void PrintLast() {
  if (traced == nullptr) return;
  for (const std::string& line : traced->last()) fmt::print("{}\n", line);
  std::fflush(stdout);
}

void OnAbort(int) {
  PrintLast();
  std::_Exit(EXIT_FAILURE);
}

// Runs one world and returns the fingerprint of the run.
uint64_t RunOne(uint64_t seed, Trace& trace) {
  World world(seed, trace);
  world.Run();
  return trace.fingerprint();
}

// Runs a part of the seeds. Ends the process.
[[noreturn]] void Work(const Options& options, uint32_t worker, Progress& progress) {
  for (uint64_t i = worker; i < options.seeds; i += options.processes) {
    const uint64_t seed = options.from + i;
    progress.seed = seed;
    // The alarm ends a run that never ends, which is a failure too.
    alarm(kSecondsPerSeedMax);
    try {
      Trace trace(Trace::Words::kNone);
      const uint64_t fingerprint = RunOne(seed, trace);
      progress.events += trace.events();
      if (options.twice) {
        Trace again(Trace::Words::kNone);
        if (RunOne(seed, again) != fingerprint) throw Violation{"the second run was another"};
      }
    } catch (const Violation&) {
      std::_Exit(EXIT_FAILURE);
    }
    ++progress.done;
  }
  std::_Exit(EXIT_SUCCESS);
}

// Repeats a run and prints its events.
int Tell(uint64_t seed, bool verbose) {
  Trace trace(verbose ? Trace::Words::kPrint : Trace::Words::kLast);
  if (!verbose) traced = &trace;
  std::signal(SIGABRT, OnAbort);
  std::signal(SIGSEGV, OnAbort);
  if (verbose) spdlog::set_level(spdlog::level::info);
  try {
    RunOne(seed, trace);
  } catch (const Violation& violation) {
    PrintLast();
    fmt::print("seed {}: {}\n", seed, violation.what);
    return EXIT_FAILURE;
  }
  fmt::print("seed {}: {} events, fingerprint {:016x}, no promise broken\n", seed, trace.events(), trace.fingerprint());
  return EXIT_SUCCESS;
}

// Runs all seeds in worker processes. Returns the seed that failed, or 0 if none did.
uint64_t RunAll(const Options& options) {
  void* const shared =
      mmap(nullptr, options.processes * sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  VIEWCOUNT_CHECK(shared != MAP_FAILED);
  auto* const progress = new (shared) Progress[options.processes];
  std::vector<pid_t> workers;
  for (uint32_t i = 0; i < options.processes; ++i) {
    const pid_t worker = fork();
    if (worker == 0) {
      // A failed check prints its message when the run is repeated.
      if (options.quiet) VIEWCOUNT_CHECK(std::freopen("/dev/null", "w", stderr) != nullptr);
      Work(options, i, progress[i]);
    }
    workers.push_back(worker);
  }
  uint64_t failed = 0;
  for (uint32_t left = options.processes; left > 0; --left) {
    int how = 0;
    const pid_t ended = wait(&how);
    if (WIFEXITED(how) && WEXITSTATUS(how) == EXIT_SUCCESS) continue;
    for (uint32_t i = 0; i < options.processes; ++i) {
      if (workers[i] != ended) {
        if (failed == 0) kill(workers[i], SIGTERM);
      } else if (failed == 0) {
        failed = progress[i].seed;
      }
    }
  }
  uint64_t done = 0;
  uint64_t events = 0;
  for (uint32_t i = 0; i < options.processes; ++i) {
    done += progress[i].done;
    events += progress[i].events;
  }
  munmap(shared, options.processes * sizeof(Progress));
  if (options.quiet) return failed;
  if (failed == 0) {
    fmt::print("{} seeds from {} on, {} events: no promise broken\n", done, options.from, events);
  } else {
    fmt::print("seed {} broke a promise after {} that did not; its last events:\n", failed, done);
  }
  std::fflush(stdout);
  return failed;
}

int RunAndTell(const Options& options, const std::string& repeat) {
  const uint64_t failed = RunAll(options);
  if (failed == 0) return EXIT_SUCCESS;
  const pid_t teller = fork();
  if (teller == 0) std::exit(Tell(failed, false));
  int how = 0;
  waitpid(teller, &how, 0);
  fmt::print("Repeat it with: {} --seed {}\n", repeat, failed);
  return EXIT_FAILURE;
}

#ifdef VIEWCOUNT_PLANTED_BUGS
// Switches a planted bug on. Returns false if there is no such bug.
bool Plant(std::string_view name) {
  for (const PlantedBugEntry& entry : PlantedBugs()) {
    if (entry.name != name) continue;
    planted_bug = entry.bug;
    return true;
  }
  fmt::print("there is no planted bug {}\n", name);
  return false;
}

// Runs every planted bug. Each must be caught within `seeds`, from its first seed or from `from`, whichever is later.
int RunEachBug(Options options) {
  options.quiet = true;
  const uint64_t from = options.from;
  int missed = 0;
  for (const PlantedBugEntry& entry : PlantedBugs()) {
    planted_bug = entry.bug;
    options.from = std::max(from, entry.first_seed);
    const uint64_t failed = RunAll(options);
    if (failed == 0) ++missed;
    fmt::print("{:32} {}\n", entry.name, failed == 0 ? "NOT CAUGHT" : fmt::format("seed {}", failed));
    std::fflush(stdout);
  }
  return missed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif

}  // namespace
}  // namespace viewcount::simulation

int main(int argc, char** argv) {
  using namespace viewcount::simulation;
  Options options;
  uint64_t seed = 0;
  CLI::App app("Runs the service's parts through simulated crashes, one seed after the other");
  app.add_option("--seeds", options.seeds, "How many")->capture_default_str();
  app.add_option("--from", options.from, "The first")->capture_default_str();
  app.add_option("--processes", options.processes, "At once")->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--seed", seed, "Only this one, telling its last events if it fails");
#ifdef VIEWCOUNT_PLANTED_BUGS
  std::string bug;
  bool each_bug = false;
  app.add_option("--bug", bug, "Run with this planted bug");
  app.add_flag("--each-bug", each_bug, "Run every planted bug from its first seed on until it is caught");
#endif
  app.add_flag("--verbose", options.verbose, "With --seed: every event");
  app.add_flag("--twice", options.twice, "Run each seed twice, and compare the runs");
  CLI11_PARSE(app, argc, argv);
  spdlog::set_level(spdlog::level::off);
  std::string repeat = argv[0];
#ifdef VIEWCOUNT_PLANTED_BUGS
  if (each_bug) return RunEachBug(options);
  if (!bug.empty() && !Plant(bug)) return EXIT_FAILURE;
  if (!bug.empty()) repeat += " --bug " + bug;
#endif
  if (seed != 0 && !options.twice) return Tell(seed, options.verbose);
  if (seed != 0) {
    options.from = seed;
    options.seeds = 1;
    options.processes = 1;
  }
  return RunAndTell(options, repeat);
}
