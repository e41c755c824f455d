#include "bench/load/report.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace viewcount::bench {
namespace {

// Names and their values as JSON.
using Fields = std::vector<std::pair<std::string, std::string>>;

std::string Object(const Fields& fields) {
  std::string text = "{";
  for (const auto& [name, value] : fields)
    text += fmt::format("{}\"{}\": {}", text.size() > 1 ? ", " : "", name, value);
  return text + "}";
}

double Microseconds(Histogram::Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

std::string Latency(const Histogram& histogram) {
  Fields fields;
  for (const auto& [name, share] : {std::pair{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}})
    fields.emplace_back(name, fmt::format("{:.1f}", Microseconds(histogram.Quantile(share))));
  fields.emplace_back("max", fmt::format("{:.1f}", Microseconds(histogram.max())));
  return Object(fields);
}

std::string Errors(const Measured& measured) {
  Fields fields;
  for (const auto& [code, count] : measured.errors) fields.emplace_back(code, std::to_string(count));
  return Object(fields);
}

Fields FieldsOf(const Options& options, const Tally& tally) {
  const Measured& measured = tally.measured();
  const auto per_second = [&measured](uint64_t count) {
    return fmt::format("{:.1f}", measured.seconds > 0 ? static_cast<double>(count) / measured.seconds : 0);
  };
  const uint64_t views_sent = options.HasViews() ? measured.requests * options.batch_views : 0;
  Fields fields{{"workload", fmt::format("\"{}\"", NameOf(options.workload))},
                {"rate", fmt::format("{}", options.rate)},
                {"in_flight", std::to_string(options.in_flight)},
                {"connections", std::to_string(options.connections)},
                {"seconds", fmt::format("{:.3f}", measured.seconds)},
                {"requests", std::to_string(measured.requests)},
                {"views_sent", std::to_string(views_sent)},
                {"views_acknowledged", std::to_string(measured.acknowledged_views)},
                {"duplicates", std::to_string(measured.duplicates)},
                {"errors", Errors(measured)},
                {"errors_whole_run", std::to_string(tally.errors())},
                {"unsent", std::to_string(tally.unsent())},
                {"requests_per_second", per_second(measured.requests)},
                {"views_per_second", per_second(measured.acknowledged_views)},
                {"latency_us", Latency(tally.latency())},
                {"error_latency_us", Latency(tally.error_latency())},
                {"generator_cpu_seconds", fmt::format("{:.4f}", measured.generator_cpu_seconds)}};
  if (options.server_pid != 0)
    fields.emplace_back("server_cpu_seconds", fmt::format("{:.4f}", measured.server_cpu_seconds));
  return fields;
}

}  // namespace

std::string Report(const Options& options, const Tally& tally, const std::optional<StoreComparison>& store) {
  Fields fields = FieldsOf(options, tally);
  if (store) {
    fields.emplace_back("store", Object({{"added", std::to_string(store->added)},
                                         {"acknowledged", std::to_string(store->acknowledged)},
                                         {"doubtful", std::to_string(store->doubtful)},
                                         {"ok", store->ok() ? "true" : "false"}}));
  }
  if (options.json) return Object(fields) + "\n";
  std::string text;
  for (const auto& [name, value] : fields) text += fmt::format("{:22} {}\n", name, value);
  return text;
}

}  // namespace viewcount::bench
