// Measures how the writer table classifies a batch: as new, as a repeat, or as the first of a new writer. The argument
// is the number of writers in the table. Items are batches. Each batch comes from another writer than the one before.
// The order is not that of the table.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/lane/writer_table.h"

namespace viewcount {
namespace {

constexpr SteadyTime kNow{std::chrono::hours(1'000)};

std::vector<WriterId> WriterIds(size_t count) {
  std::vector<WriterId> ids(count);
  for (WriterId& id : ids) id = RandomId<WriterId>();
  return ids;
}

// Returns all writers in two orders alternately. With one order, the next writer would always be the least recently
// used one. Not thread-safe.
class Turns {
 public:
  explicit Turns(const std::vector<WriterId>& ids) : orders_{ids, ids} {
    std::mt19937_64 random(1);
    for (auto& order : orders_) std::shuffle(order.begin(), order.end(), random);
  }

  const WriterId& Next() {
    if (next_ == orders_[0].size()) ++round_, next_ = 0;
    return orders_[round_ % 2][next_++];
  }
  // Returns the number of completed rounds, in each of which every writer had one turn.
  uint64_t round() const { return round_; }

 private:
  std::array<std::vector<WriterId>, 2> orders_;
  uint64_t round_ = 0;
  size_t next_ = 0;
};

void Take(WriterTable& table, const ViewsRequest& request, WriterTable::Verdict expected) {
  VIEWCOUNT_CHECK(table.Take(request, kNow).verdict == expected);
}

// Records the first batch of every writer.
void TakeFirst(WriterTable& table, const std::vector<WriterId>& ids) {
  ViewsRequest request;
  request.sequence = 1;
  for (const WriterId& id : ids) {
    request.writer = id;
    Take(table, request, WriterTable::Verdict::kNew);
  }
}

void NextSequence(benchmark::State& state) {
  const auto ids = WriterIds(static_cast<size_t>(state.range(0)));
  WriterTable table;
  TakeFirst(table, ids);
  Turns turns(ids);
  ViewsRequest request;
  for (auto _ : state) {
    request.writer = turns.Next();
    request.sequence = 2 + turns.round();
    Take(table, request, WriterTable::Verdict::kNew);
  }
  state.SetItemsProcessed(state.iterations());
}

void Repeat(benchmark::State& state) {
  const auto ids = WriterIds(static_cast<size_t>(state.range(0)));
  WriterTable table;
  TakeFirst(table, ids);
  Turns turns(ids);
  ViewsRequest request;
  request.sequence = 1;
  for (auto _ : state) {
    request.writer = turns.Next();
    Take(table, request, WriterTable::Verdict::kDuplicate);
  }
  state.SetItemsProcessed(state.iterations());
}

// The table is full: for each new writer, the least recently used one is forgotten.
void NewWriter(benchmark::State& state) {
  const auto known = static_cast<size_t>(state.range(0));
  // There are twice as many writers as places, so a writer has been forgotten before its next turn.
  const auto ids = WriterIds(2 * known);
  WriterTable table(known);
  TakeFirst(table, ids);
  ViewsRequest request;
  request.sequence = 1;
  size_t next = 0;
  for (auto _ : state) {
    request.writer = ids[next];
    if (++next == ids.size()) next = 0;
    Take(table, request, WriterTable::Verdict::kNew);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(NextSequence)->Arg(1)->Arg(1'000)->Arg(limits::kWritersMax);
BENCHMARK(Repeat)->Arg(1)->Arg(1'000)->Arg(limits::kWritersMax);
BENCHMARK(NewWriter)->Arg(1)->Arg(1'000)->Arg(limits::kWritersMax);

}  // namespace
}  // namespace viewcount
