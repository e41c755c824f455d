// Measures the conversion of request bytes to validated views by the decoder. The generated class on an arena is
// measured for comparison; it validates nothing but UTF-8. Items are views.
#include <benchmark/benchmark.h>
#include <google/protobuf/arena.h>

#include <random>
#include <string>

#include "service/model/decoder.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

constexpr int64_t kReceiptUnixMs = 1'750'000'000'000;

// Returns a batch like one of a frontend: IDs of about 25 bytes, each with a viewer and a time.
std::string Batch(int64_t views) {
  std::mt19937_64 random(1);
  v1::RecordViewsRequest request;
  request.set_site("demo");
  request.set_writer_id(std::string(16, 'w'));
  request.set_sequence(12'345);
  for (int64_t i = 0; i < views; ++i) {
    auto* view = request.add_views();
    view->set_article_id("/news/2025/story-" + std::to_string(10'000'000 + random() % 100'000));
    view->set_viewer(random());
    view->set_event_time_unix_ms(kReceiptUnixMs - static_cast<int64_t>(random() % 60'000));
  }
  return request.SerializeAsString();
}

void Report(benchmark::State& state, const std::string& bytes) {
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

void Decoder(benchmark::State& state) {
  const std::string bytes = Batch(state.range(0));
  ViewsRequest request;
  for (auto _ : state) {
    if (!DecodeViewsRequest(bytes, kReceiptUnixMs, request).ok()) state.SkipWithError("refused");
    benchmark::DoNotOptimize(request.views.data());
  }
  Report(state, bytes);
}

void GeneratedClass(benchmark::State& state) {
  const std::string bytes = Batch(state.range(0));
  google::protobuf::Arena arena;
  for (auto _ : state) {
    auto* request = google::protobuf::Arena::CreateMessage<v1::RecordViewsRequest>(&arena);
    if (!request->ParseFromString(bytes)) state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(request);
    arena.Reset();
  }
  Report(state, bytes);
}

BENCHMARK(Decoder)->Arg(1)->Arg(100)->Arg(1'000);
BENCHMARK(GeneratedClass)->Arg(1)->Arg(100)->Arg(1'000);

}  // namespace
}  // namespace viewcount
