// The program history_queries: see --help.
#include <fmt/format.h>
#include <grpcpp/create_channel.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>
#include <regex>
#include <thread>

#include "bench/history/question_kinds.h"
#include "bench/load/histogram.h"

namespace viewcount::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kDescription[] =
    R"(Asks viewcountd the questions of analysts about a history that history_load has written. One call follows the
other. Every call asks for another window, so the service must read it from Redis. "Again" is the same question right
after the answer. Then counts how many lists of random windows are proven without reading every article.)";

constexpr char kFooter[] = R"(Exit codes:
  0  everything was answered
  1  no service, or an error
  2  wrong usage

Examples:
  history_queries --target 127.0.0.1:7400 --articles 1000000 --days 400
  history_queries --target 127.0.0.1:7400 --only 'hours' --proofs 0 --json)";

constexpr std::chrono::seconds kDeadline{60};
// The service reads a list again after this time: limits::kCountCacheAge, and a little more.
constexpr std::chrono::milliseconds kTooOld{1'100};
// Calls of a kind with such a pause.
constexpr size_t kPausedCallsMax = 40;

struct MeasureOptions {
  QuestionOptions questions;
  std::string target;
  size_t calls = 200;
  size_t proofs = 1'000;
  std::string only;
  bool json = false;
};

// The calls of a kind.
struct Measured {
  Histogram first;
  Histogram again;
  size_t exact = 0;
  size_t rows = 0;
};

double MillisOf(Histogram::Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

std::optional<Answered> Ask(v1::QueryService::Stub& stub, const Call& call, Histogram& histogram) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  const auto begun = Clock::now();
  Answered answered = call(stub, context);
  histogram.Record(Clock::now() - begun);
  if (answered.status.ok()) return answered;
  fmt::print(stderr, "history_queries: {}\n", answered.status.error_message());
  return std::nullopt;
}

void PrintRow(const MeasureOptions& options, const std::string& name, const Histogram& histogram, size_t exact,
              size_t rows) {
  const auto count = histogram.count();
  if (options.json) {
    fmt::print(R"({{"name": "{}", "calls": {}, "p50_ms": {:.3f}, "p99_ms": {:.3f}, "max_ms": {:.3f}, "exact": {}}})"
               "\n",
               name, count, MillisOf(histogram.Quantile(0.5)), MillisOf(histogram.Quantile(0.99)),
               MillisOf(histogram.max()), exact);
  } else {
    fmt::print("| {} | {} | {:.2f} | {:.2f} | {:.2f} | {:.1f} % | {:.0f} |\n", name, count,
               MillisOf(histogram.Quantile(0.5)), MillisOf(histogram.Quantile(0.99)), MillisOf(histogram.max()),
               100.0 * static_cast<double>(exact) / static_cast<double>(count),
               static_cast<double>(rows) / static_cast<double>(count));
  }
  std::fflush(stdout);
}

bool Measure(const MeasureOptions& options, v1::QueryService::Stub& stub, const QuestionKind& kind) {
  Measured measured;
  const size_t calls = kind.recurs ? std::min(options.calls, kPausedCallsMax) : options.calls;
  size_t exact_again = 0;
  for (size_t i = 0; i < calls; ++i) {
    if (kind.recurs) std::this_thread::sleep_for(kTooOld);
    const Call call = kind.make(i);
    const auto first = Ask(stub, call, measured.first);
    const auto again = Ask(stub, call, measured.again);
    if (!first || !again) return false;
    measured.exact += first->exact ? 1 : 0;
    exact_again += again->exact ? 1 : 0;
    measured.rows += static_cast<size_t>(first->rows);
  }
  PrintRow(options, kind.name, measured.first, measured.exact, measured.rows);
  PrintRow(options, kind.name + ", again", measured.again, exact_again, measured.rows);
  return true;
}

bool MeasureProofs(const MeasureOptions& options, v1::QueryService::Stub& stub, int64_t now) {
  std::mt19937_64 random(options.questions.seed);
  Histogram histogram;
  size_t exact = 0, rows = 0;
  for (size_t i = 0; i < options.proofs; ++i) {
    const auto answered = Ask(stub, RandomList(options.questions, now, random), histogram);
    if (!answered) return false;
    exact += answered->exact ? 1 : 0;
    rows += static_cast<size_t>(answered->rows);
  }
  if (options.proofs > 0) PrintRow(options, "popular, random windows", histogram, exact, rows);
  return true;
}

bool Run(const MeasureOptions& options) {
  const auto channel = grpc::CreateChannel(options.target, grpc::InsecureChannelCredentials());
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + kDeadline)) {
    fmt::print(stderr, "history_queries: no service at {}\n", options.target);
    return false;
  }
  v1::QueryService::Stub stub(channel);
  // The first call pays for the connection.
  Histogram unused;
  if (!Ask(stub, WarmUp(options.questions), unused)) return false;
  const int64_t now = std::time(nullptr);
  if (!options.json) {
    fmt::print(
        "| question | calls | p50 ms | p99 ms | most ms | exact | rows |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  }
  const std::regex only(options.only);
  for (const QuestionKind& kind : QuestionKinds(options.questions, now)) {
    if (!std::regex_search(kind.name, only)) continue;
    if (!Measure(options, stub, kind)) return false;
  }
  return MeasureProofs(options, stub, now);
}

int Main(int argc, const char* const* argv) {
  MeasureOptions options;
  CLI::App app(kDescription, "history_queries");
  app.footer(kFooter);
  app.add_option("--target", options.target, "Address of viewcountd's gRPC port")->type_name("HOST:PORT")->required();
  app.add_option("--site", options.questions.site, "The site")->type_name("NAME")->capture_default_str();
  app.add_option("--articles", options.questions.articles, "As of history_load")
      ->check(CLI::Range(size_t{1}, size_t{50'000'000}))
      ->capture_default_str();
  app.add_option("--days", options.questions.days, "As of history_load")
      ->check(CLI::Range(size_t{10}, size_t{400}))
      ->capture_default_str();
  app.add_option("--calls", options.calls, "Calls of each question; at most 40 of those about all time")
      ->check(CLI::Range(size_t{1}, size_t{100'000}))
      ->capture_default_str();
  app.add_option("--proofs", options.proofs, "Lists of random windows")
      ->check(CLI::Range(size_t{0}, size_t{1'000'000}))
      ->capture_default_str();
  app.add_option("--only", options.only, "Only the questions whose name matches")->type_name("REGEX");
  app.add_option("--seed", options.questions.seed, "Of all draws")->capture_default_str();
  app.add_flag("--json", options.json, "Print one JSON object for each row");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return Run(options) ? 0 : 1;
}

}  // namespace
}  // namespace viewcount::bench

int main(int argc, char** argv) { return viewcount::bench::Main(argc, argv); }
