// Uses the installed client without a service. The views are accepted, cannot be delivered, and are reported as
// dropped.
#include <viewcount/client/writer.h>

#include <chrono>
#include <cstdio>

int main() {
  using namespace viewcount::client;
  using std::chrono::milliseconds;
  uint64_t told = 0;
  WriterOptions options;
  options.site = "portal";
  options.server = "127.0.0.1:1";
  options.batch_timeout = milliseconds(100);
  options.on_drop = [&](const DroppedBatch& dropped) { told += dropped.views.size(); };
  auto writer = Writer::Create(options);
  if (!writer.ok()) {
    std::fprintf(stderr, "%s\n", writer.status().ToString().c_str());
    return 1;
  }
  View view;
  view.article_id = "news/3933";
  if (!(*writer)->Record(view).ok()) return 1;
  const auto closed = (*writer)->Close(std::chrono::seconds(10));
  if (!absl::IsDataLoss(closed) || told != 1 || (*writer)->statistics().dropped != 1) {
    std::fprintf(stderr, "expected one view to be told as dropped, got %s\n", closed.ToString().c_str());
    return 1;
  }
  std::puts("one view taken, dropped and told");
  return 0;
}
