// Lines of a log on their way into one batch. Every line is a sequence, whether it is a page view or not, so that the
// service knows how far a file was imported, however the file is cut into batches.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/access_log.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount::cli {

// A line that could not be understood.
struct BadLine {
  uint64_t number = 0;
  std::string problem;
  // Without addresses; see SafeExcerpt.
  std::string excerpt;
};

// Consecutive lines. Not thread safe.
class ImportBatch {
 public:
  // Of the writer; both stay for all batches.
  ImportBatch(std::string_view site, std::string_view writer_id);

  // Adds line `number`, the one behind the last; the first may be any. `excerpt` is used for bad lines only.
  void Add(uint64_t number, const AccessLogLine& line, std::string_view text);
  // Takes away the lines up to `number`, which were imported before.
  void DropThrough(uint64_t number);
  void Clear();

  bool empty() const { return kinds_.empty(); }
  // It is time to send it.
  bool full() const;
  // Of its lines. Require that it is not empty.
  uint64_t first() const { return first_; }
  uint64_t last() const { return first_ + kinds_.size() - 1; }
  uint64_t lines() const { return kinds_.size(); }

  const google::protobuf::RepeatedPtrField<v1::View>& views() const { return request_.views(); }
  const std::vector<BadLine>& bad_lines() const { return bad_lines_; }

  // The request's bytes; the same until the batch is changed.
  std::string Serialise();

 private:
  v1::RecordViewsRequest request_;
  uint64_t first_ = 0;
  std::vector<LineKind> kinds_;
  std::vector<BadLine> bad_lines_;
  size_t view_bytes_ = 0;
};

}  // namespace viewcount::cli
