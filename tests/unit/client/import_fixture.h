// The importer's tests share this fixture. It provides a service and imports files into it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client/cli/importer.h"
#include "tests/support/fake_ingest.h"
#include "tests/unit/client/temporary_file.h"

namespace viewcount::cli {

// Returns a log line that is a view of `article`.
inline std::string PageLine(const std::string& article) {
  return fmt::format("192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET {} HTTP/1.1\" 200 1 \"-\" \"agent\"\n", article);
}
inline std::string OtherLine() { return PageLine("/logo.png"); }

// Returns `count` lines. Every third line is no page view; the others are views of ten articles.
inline std::string ManyPages(int count, int from = 0) {
  std::string text;
  for (int i = from; i < from + count; ++i) {
    text += i % 3 == 2 ? OtherLine() : PageLine(fmt::format("/article/{}", i % 10));
  }
  return text;
}

class ImportTest : public ::testing::Test {
 protected:
  // Holds the result of one run of the import.
  struct Outcome {
    absl::Status status;
    ImportCounts counts;
    uint64_t articles = 0;
    std::vector<BadLine> bad_lines;
  };

  // Imports the file in a separate run, with a new importer.
  Outcome Import(const std::string& path, const std::string& site = "portal") {
    client::BatchSender sender(service_.channel(), send_options_);
    Outcome outcome;
    ImporterOptions options;
    options.site = site;
    options.send = [&](const std::string& request) { return sender.Send(request); };
    options.on_bad_line = [&](const BadLine& bad) { outcome.bad_lines.push_back(bad); };
    Importer importer(options);
    auto source = ByteSource::Open(path);
    EXPECT_TRUE(source.ok()) << source.status();
    LineReader reader(std::move(*source));
    outcome.status = importer.Import(reader, path);
    outcome.counts = importer.counts();
    outcome.articles = importer.articles();
    const auto& counts = outcome.counts;
    const uint64_t damage = reader.source().damage().empty() || !outcome.status.ok() ? 0 : 1;
    EXPECT_EQ(counts.lines + damage,
              counts.imported_before_lines + counts.views + counts.other_lines + counts.bad_lines);
    return outcome;
  }

  // Checks that the counted batches give every line one sequence, without gap or overlap. Returns the last sequence.
  uint64_t ExpectSeamless() {
    uint64_t next = 1;
    for (const auto& request : service_.counted()) {
      EXPECT_EQ(request.sequence(), next);
      EXPECT_TRUE(request.import());
      next = request.sequence() + request.sequence_span();
    }
    return next - 1;
  }

  testing::FakeIngest service_;
  client::SendOptions send_options_ = {.call_timeout = std::chrono::seconds(5),
                                       .batch_timeout = std::chrono::seconds(10),
                                       .backoff_min = std::chrono::milliseconds(1),
                                       .backoff_max = std::chrono::milliseconds(5),
                                       .on_retry = {}};
};

}  // namespace viewcount::cli
