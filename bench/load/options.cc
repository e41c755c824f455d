#include "bench/load/options.h"

#include <CLI/CLI.hpp>
#include <map>

#include "service/base/limits.h"

namespace viewcount::bench {
namespace {

// A beacon takes about 250 bytes.
constexpr size_t kBeaconsMax = 500'000;

constexpr char kDescription[] =
    R"(Loads a server on a schedule fixed in advance, and says how it did. Request i is due at start + i / rate; its
latency counts from then, so that a server that stalls cannot hide it. With --rate 0 the next request follows each
answer. Everything is encoded before the clock starts.)";

constexpr char kFooter[] = R"(Exit codes:
  0  the load ran; with --verify-store, the store holds what was acknowledged
  1  no server, or the store does not hold it
  2  wrong usage

Examples:
  viewcount_load batches --target 127.0.0.1:7400 --in-flight 16 --seconds 10
  viewcount_load calls --target 127.0.0.1:7400 --rate 20000 --seconds 10 --json
  viewcount_load counts --target 127.0.0.1:7400 --ids 20 --articles 1000000
  viewcount_load popular --target 127.0.0.1:7400 --window day --rate 50
  viewcount_load beacons --target 127.0.0.1:8080 --in-flight 64
  viewcount_load beacons --target 127.0.0.1:8000 --method GET --path '/hit/{article}'
  viewcount_load streams --target 127.0.0.1:7400 --verify-store 'redis+unix:///var/lib/viewcount/redis/redis.sock')";

const std::map<std::string, v1::Durability> kDurabilities{
    {"memory", v1::DURABILITY_MEMORY}, {"journaled", v1::DURABILITY_JOURNALED}, {"stored", v1::DURABILITY_STORED}};

void AddLoad(CLI::App& command, Options& options) {
  command.add_option("--target", options.target, "Address of the server")->type_name("HOST:PORT")->required();
  command.add_option("--rate", options.rate, "Requests a second; 0: as fast as --in-flight allows")
      ->check(CLI::Range(0.0, 10e6))
      ->capture_default_str();
  command
      .add_option("--in-flight", options.in_flight, "Requests unanswered at most; the number of writers, or of sockets")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_option("--seconds", options.seconds, "What is measured")
      ->check(CLI::Range(0.1, 3'600.0))
      ->capture_default_str();
  command.add_option("--warmup", options.warmup_seconds, "Seconds of load before that, not measured")
      ->check(CLI::Range(0.0, 3'600.0))
      ->capture_default_str();
  command.add_option("--server-pid", options.server_pid, "Process whose CPU seconds are measured too")
      ->type_name("PID");
  command.add_flag("--json", options.json, "Print one JSON object");
}

void AddArticles(CLI::App& command, Options& options) {
  command.add_option("--site", options.site, "The site")->type_name("NAME")->capture_default_str();
  command.add_option("--articles", options.articles, "Different articles")
      ->check(CLI::Range(size_t{1}, size_t{1'000'000'000}))
      ->capture_default_str();
  command.add_option("--distribution", "How often which is drawn: zipf (exponent 1) or uniform")
      ->check(CLI::IsMember({"zipf", "uniform"}))
      ->default_str("zipf")
      ->each([&options](const std::string& text) { options.uniform = text == "uniform"; });
  command.add_option("--seed", options.seed, "Of the draws")->capture_default_str();
}

void AddGrpc(CLI::App& command, Options& options) {
  command.add_option("--connections", options.connections, "Over which the requests are spread")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
}

void AddViews(CLI::App& command, Options& options) {
  AddArticles(command, options);
  command
      .add_option("--pool-views", options.pool_views,
                  "Views encoded in advance, sent over and over; 40 bytes each, as beacons 250")
      ->check(CLI::Range(size_t{1}, size_t{100'000'000}))
      ->capture_default_str();
  command
      .add_option("--verify-store", options.verify_store,
                  "Fail unless this Redis gets what was acknowledged: redis://HOST:PORT/DB or redis+unix:///PATH")
      ->type_name("URL");
}

void AddDurability(CLI::App& command, Options& options) {
  command.add_option("--durability", options.durability, "Before views are acknowledged: memory, journaled or stored")
      ->transform(CLI::CheckedTransformer(kDurabilities).description(""))
      ->default_str("journaled");
}

void AddBatchViews(CLI::App& command, Options& options) {
  command.add_option("--batch-views", options.batch_views, "Views of a batch")
      ->check(CLI::Range(size_t{1}, limits::kBatchViewsMax))
      ->capture_default_str();
}

}  // namespace

const char* NameOf(Workload workload) {
  static constexpr const char* kNames[] = {"batches", "streams", "calls", "counts", "popular", "beacons"};
  return kNames[static_cast<size_t>(workload)];
}

namespace {

void AddWriting(CLI::App& app, Options& options) {
  CLI::App* batches =
      app.add_subcommand("batches", "RecordViews of many views, by writers with one batch on its way each");
  CLI::App* streams = app.add_subcommand("streams", "The same over StreamViews, a stream for each writer");
  CLI::App* calls = app.add_subcommand("calls", "RecordViews of one view");
  for (CLI::App* command : {batches, streams, calls}) {
    AddLoad(*command, options);
    AddGrpc(*command, options);
    AddViews(*command, options);
    AddDurability(*command, options);
  }
  AddBatchViews(*batches, options);
  AddBatchViews(*streams, options);
  calls->add_flag("--writers", options.writers, "Each call in flight has a writer, so that repeats are told apart");
}

void AddReading(CLI::App& app, Options& options) {
  CLI::App* counts = app.add_subcommand("counts", "GetCounts of some popular articles");
  CLI::App* popular = app.add_subcommand("popular", "ListPopular of 100 articles");
  for (CLI::App* command : {counts, popular}) {
    AddLoad(*command, options);
    AddGrpc(*command, options);
    AddArticles(*command, options);
  }
  counts->add_option("--ids", options.ids, "Articles asked for at once")
      ->check(CLI::Range(size_t{1}, limits::kGetCountsArticlesMax))
      ->capture_default_str();
  counts->add_option("--popular", options.popular, "They are drawn from as many of the most popular")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  popular->add_option("--window", options.window, "all or day")
      ->check(CLI::IsMember({"all", "day"}))
      ->capture_default_str();
}

void AddBeacons(CLI::App& app, Options& options) {
  CLI::App* beacons = app.add_subcommand("beacons", "HTTP requests as browsers' count.js sends them, kept alive");
  AddLoad(*beacons, options);
  AddViews(*beacons, options);
  beacons->add_option("--method", options.method, "POST has a view in its body")
      ->check(CLI::IsMember({"GET", "POST"}))
      ->capture_default_str();
  beacons->add_option("--path", options.path, "May hold {article}")->default_str("/v1/sites/SITE/views");
  beacons->add_option("--flush", options.flush, "The service's gRPC address, for --verify-store")
      ->type_name("HOST:PORT");
}

// Checks combinations of options. Returns the problem, or an empty text if there is none.
std::string Problem(const Options& options) {
  if (options.workload == Workload::kBeacons && !options.verify_store.empty() && options.flush.empty())
    return "--verify-store needs --flush";
  if (options.ids > std::min(options.popular, options.articles)) return "--ids: more than there are popular articles";
  return "";
}

}  // namespace

std::optional<Options> ParseOptions(int argc, const char* const* argv, int& exit_code) {
  Options options;
  CLI::App app(kDescription, "viewcount_load");
  app.footer(kFooter);
  app.require_subcommand(1);
  AddWriting(app, options);
  AddReading(app, options);
  AddBeacons(app, options);
  try {
    app.parse(argc, argv);
    for (int i = 0; i <= static_cast<int>(Workload::kBeacons); ++i) {
      if (app.got_subcommand(NameOf(static_cast<Workload>(i)))) options.workload = static_cast<Workload>(i);
    }
    if (options.workload == Workload::kCalls || options.workload == Workload::kBeacons) options.batch_views = 1;
    if (const std::string problem = Problem(options); !problem.empty()) throw CLI::ValidationError(problem);
    if (options.workload == Workload::kBeacons) options.pool_views = std::min(options.pool_views, kBeaconsMax);
    if (options.flush.empty()) options.flush = options.target;
    if (options.path.empty()) options.path = "/v1/sites/" + options.site + "/views";
    return options;
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : 2;
    return std::nullopt;
  }
}

}  // namespace viewcount::bench
