// Collects consecutive lines of a log into one batch. Every line uses one sequence number, whether it is a page view or
// not. The service therefore knows how far a file was imported, however the file is cut into batches.
#pragma once

#include <cstdint>
#include <functional>
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
  // Both arguments identify the writer and apply to all batches. `writer_id` is the result of ImportWriterId.
  ImportBatch(std::string_view site, std::string_view writer_id);

  // Adds line `number`, which must follow the last line of the batch. An empty batch accepts any number. `text` is the
  // line itself; it is used for the excerpts of bad lines only.
  void Add(uint64_t number, const AccessLogLine& line, std::string_view text);
  // Removes the lines up to and including `number`, because they were imported before.
  void DropThrough(uint64_t number);
  void Clear();

  bool empty() const { return kinds_.empty(); }
  // Returns true if the batch should be sent now.
  bool full() const;
  // The first line number, the last line number and the number of lines. first() and last() require that the batch is
  // not empty.
  uint64_t first() const { return first_; }
  uint64_t last() const { return first_ + kinds_.size() - 1; }
  uint64_t lines() const { return kinds_.size(); }

  const google::protobuf::RepeatedPtrField<v1::View>& views() const { return request_.views(); }
  const std::vector<BadLine>& bad_lines() const { return bad_lines_; }

  // Returns the request's bytes. They are identical for every call until the batch is changed. Requires that the batch
  // is not empty.
  std::string Serialise();

 private:
  v1::RecordViewsRequest request_;
  uint64_t first_ = 0;
  std::vector<LineKind> kinds_;
  std::vector<BadLine> bad_lines_;
  size_t view_bytes_ = 0;
};

}  // namespace viewcount::cli
