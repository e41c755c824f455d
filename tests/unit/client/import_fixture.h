// The importer's tests share this fixture. It provides a service and imports files into it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/imported_log.h"
#include "tests/support/fake_ingest.h"
#include "tests/unit/client/temporary_file.h"

namespace viewcount::cli {

inline constexpr char kPageAgent[] = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";
// Returns a log line that is a view of `article`.
inline std::string PageLine(const std::string& article) {
  return fmt::format("192.0.2.1 - - [17/May/2015:10:05:03 +0000] \"GET {} HTTP/1.1\" 200 1 \"-\" \"{}\"\n", article,
                     kPageAgent);
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
    std::vector<std::string> warnings;
  };

  // Imports the file in a separate run.
  Outcome Import(const std::string& path, const std::string& site = "portal", const FormatOptions& format = {}) {
    client::BatchSender sender(service_.channel(), send_options_);
    static const BotPatterns bots;
    Outcome outcome;
    ImporterOptions options;
    options.site = site;
    options.format = format;
    options.bots = &bots;
    options.send = [&](const std::string& request) { return sender.Send(request); };
    options.on_bad_line = [&](const BadLine& bad) { outcome.bad_lines.push_back(bad); };
    options.on_warning = [&](const std::string& text) { outcome.warnings.push_back(text); };
    ImportSummary summary;
    auto source = ByteSource::Open(path);
    EXPECT_TRUE(source.ok()) << source.status();
    ImportedLog log(options, summary, path, std::move(*source));
    outcome.status = log.Advance(UnfinishedLine::kTake);
    outcome.counts = summary.counts;
    outcome.articles = summary.articles();
    const auto& counts = outcome.counts;
    const uint64_t damage = log.source().damage().empty() || !outcome.status.ok() ? 0 : 1;
    EXPECT_EQ(counts.lines + damage, counts.imported_before_lines + counts.views + counts.bot_views +
                                         counts.cool_down_lines + counts.no_page_lines + counts.excluded_path_lines +
                                         counts.excluded_address_lines + counts.other_host_lines + counts.blank_lines +
                                         counts.bad_lines);
    return outcome;
  }

  // Returns the batches with lines that were counted, in their order, without milestones.
  std::vector<v1::RecordViewsRequest> LineBatches() const {
    auto batches = service_.counted();
    std::erase_if(batches, [](const auto& request) { return request.sequence_span() == 0; });
    return batches;
  }

  // Gives the next batches with lines these faults. Questions about writers, and milestones, meet no fault.
  void ScriptBatches(std::vector<testing::Fault> faults) {
    auto script = std::make_shared<std::deque<testing::Fault>>(faults.begin(), faults.end());
    service_.Decide([script](const testing::Attempt& attempt) {
      if (attempt.request.sequence_span() == 0 || script->empty()) return testing::Fault{};
      const auto fault = script->front();
      script->pop_front();
      return fault;
    });
  }

  // Returns the attempts to send batches with lines.
  std::vector<testing::Attempt> BatchAttempts() const {
    auto attempts = service_.attempts();
    std::erase_if(attempts, [](const auto& attempt) { return attempt.request.sequence_span() == 0; });
    return attempts;
  }

  // Checks that the counted batches of a single log give every line its sequences, without gap or overlap. Returns the
  // number of the last line.
  uint64_t ExpectSeamless() {
    uint64_t next = 1;
    for (const auto& request : LineBatches()) {
      EXPECT_EQ(request.sequence(), next);
      EXPECT_TRUE(request.import());
      next = request.sequence() + request.sequence_span();
    }
    return LineOfSequence(next - 1);
  }

  testing::FakeIngest service_;
  client::SendOptions send_options_ = {.call_timeout = std::chrono::seconds(5),
                                       .batch_timeout = std::chrono::seconds(10),
                                       .backoff_min = std::chrono::milliseconds(1),
                                       .backoff_max = std::chrono::milliseconds(5),
                                       .on_retry = {}};
};

}  // namespace viewcount::cli
