#include "service/lane/writer_table.h"

#include "service/base/limits.h"

namespace viewcount {

WriterTable::Decision WriterTable::Take(const ViewsRequest& request, SteadyTime now) {
  ForgetSilent(now);
  const auto found = by_id_.find(request.writer);
  uint32_t index = 0;
  if (found == by_id_.end()) {
    if (request.sequence != 1) return {Verdict::kUnknown, 0};
    MakeRoom();
    index = Create(request);
  } else {
    index = found->second;
    Unlink(index);
  }
  Writer& writer = writers_[index];
  writer.heard = now;
  Verdict verdict = Verdict::kNew;
  if (request.sequence == writer.last_sequence + 1) {
    writer.last_sequence = request.last_sequence();
    writer.import = writer.import || request.import;
  } else {
    verdict = request.sequence <= writer.last_sequence ? Verdict::kDuplicate : Verdict::kGap;
  }
  LinkNewest(index);
  return {verdict, writer.last_sequence};
}

uint32_t WriterTable::Create(const ViewsRequest& request) {
  uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<uint32_t>(writers_.size());
    writers_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  writers_[index] = {.id = request.writer};
  by_id_.emplace(request.writer, index);
  return index;
}

void WriterTable::Unlink(uint32_t index) {
  const Writer& writer = writers_[index];
  writers_[writer.older].newer = writer.newer;
  writers_[writer.newer].older = writer.older;
}

void WriterTable::LinkNewest(uint32_t index) {
  const uint32_t end = writers_[index].import ? kImports : kOrdinary;
  const uint32_t newest = writers_[end].older;
  writers_[index].older = newest;
  writers_[index].newer = end;
  writers_[newest].newer = index;
  writers_[end].older = index;
}

void WriterTable::Forget(uint32_t index) {
  Unlink(index);
  by_id_.erase(writers_[index].id);
  free_.push_back(index);
}

void WriterTable::ForgetSilent(SteadyTime now) {
  // A few at a time, so that no batch pays for many.
  for (int i = 0; i < 2; ++i) {
    const uint32_t oldest = writers_[kOrdinary].newer;
    if (oldest == kOrdinary || now - writers_[oldest].heard < limits::kWriterForgottenAfter) break;
    Forget(oldest);
  }
}

void WriterTable::MakeRoom() {
  if (by_id_.size() < writers_max_) return;
  const uint32_t oldest = writers_[kOrdinary].newer;
  Forget(oldest != kOrdinary ? oldest : writers_[kImports].newer);
}

}  // namespace viewcount
