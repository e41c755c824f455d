// Collects consecutive lines of a log into one batch. Every line uses sequences of its writer, whether it is a page
// view or not. The service therefore knows how far a log was imported, however the log is cut into batches.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/access_log.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount::cli {

// A line that could not be parsed.
struct BadLine {
  uint64_t number = 0;
  std::string problem;
  // An excerpt of the line without addresses; see SafeExcerpt.
  std::string excerpt;
};

// A batch of consecutive lines, which is filled, sent and cleared again and again. Not thread-safe.
class ImportBatch {
 public:
  // A line of the batch.
  struct Line {
    LineKind kind = LineKind::kBad;
    // The writer's last sequence after this line.
    uint64_t sequence = 0;
    // The number of views, and the number of entries in which they are sent. 0 for lines without views.
    uint64_t views = 0;
    int entries = 0;
  };

  explicit ImportBatch(std::string_view site);

  // Makes the batch empty. Its next lines belong to this writer, after the writer's sequence `sequence`, which is 0 for
  // a writer that has none.
  void Begin(std::string_view writer_id, uint64_t sequence);
  // Adds line `number`, which must follow the last line of the batch. A batch without lines accepts any number. `text`
  // is the line itself; it is used for the excerpts of bad lines only.
  void Add(uint64_t number, uint64_t sequence, const AccessLogLine& line, std::string_view text);
  // Removes the lines up to the one after which the writer's sequence is `sequence`. Returns the number of removed
  // lines, or 0 if no line has that sequence.
  uint64_t DropThrough(uint64_t sequence);
  // Removes the last line. Requires that it exists and has no views.
  void DropLast();
  // Removes all lines, because they are counted.
  void Clear() { Drop(lines_.size()); }

  bool empty() const { return lines_.empty(); }
  // Returns true if the batch should be sent now.
  bool full() const;
  // The first and the last line number, and the sequence after the last line. All three require that the batch is not
  // empty.
  uint64_t first() const { return first_; }
  uint64_t last() const { return first_ + lines_.size() - 1; }
  uint64_t last_sequence() const { return lines_.back().sequence; }
  const std::vector<Line>& lines() const { return lines_; }

  // Returns true if all lines are blank, bad, or of other virtual hosts.
  bool useless() const;
  const google::protobuf::RepeatedPtrField<v1::View>& views() const { return request_.views(); }
  const std::string& writer_id() const { return request_.writer_id(); }
  const std::vector<BadLine>& bad_lines() const { return bad_lines_; }

  // Returns the request's bytes. They are identical for every call until the batch is changed. Requires that the batch
  // is not empty.
  std::string Serialise();

 private:
  void AddViews(const AccessLogLine& line);
  void Drop(size_t lines);

  v1::RecordViewsRequest request_;
  uint64_t first_ = 0;
  // The writer's last sequence before the batch.
  uint64_t sequence_before_ = 0;
  std::vector<Line> lines_;
  std::vector<BadLine> bad_lines_;
  size_t view_bytes_ = 0;
};

}  // namespace viewcount::cli
