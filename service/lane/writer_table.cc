#include "service/lane/writer_table.h"

#include <algorithm>
#include <cstring>

#include "service/base/limits.h"
#include "service/base/little_endian.h"
#include "service/base/planted_bug.h"

namespace viewcount {
namespace {

// A writer in a checkpoint: its ID, the last sequence, and the silence. The lowest bit of the silence is set for a
// writer of an import, and the bits above it are milliseconds.
constexpr size_t kSequenceAt = sizeof(WriterId::bytes), kSilenceAt = 24, kStoredWriterBytes = 32;

}  // namespace

WriterTable::Decision WriterTable::Take(const ViewsRequest& request, SteadyTime now) {
  ForgetSilent(now);
  const auto found = by_id_.find(request.writer);
  uint32_t index = 0;
  if (found == by_id_.end()) {
    if (request.sequence != 1 && !Planted(PlantedBug::kAcceptUnknownStart)) return {Verdict::kUnknown, 0};
    index = Obtain(request.writer);
  } else {
    index = found->second;
    Unlink(index);
  }
  Writer& writer = writers_[index];
  writer.heard = now;
  Verdict verdict = Verdict::kNew;
  if (request.sequence == writer.last_sequence + 1 ||
      (Planted(PlantedBug::kAcceptGap) && request.sequence > writer.last_sequence) ||
      (Planted(PlantedBug::kAcceptUnknownStart) && writer.last_sequence == 0)) {
    writer.last_sequence = request.last_sequence();
    writer.import = writer.import || request.import;
  } else {
    verdict = request.sequence <= writer.last_sequence ? Verdict::kDuplicate : Verdict::kGap;
  }
  LinkNewest(index);
  return {verdict, writer.last_sequence};
}

void WriterTable::Replay(const ViewsRequest& request, SteadyTime now) {
  const uint32_t index = Obtain(request.writer);
  Writer& writer = writers_[index];
  writer.heard = now;
  // The higher sequence would be wrong: a writer that was forgotten may have started again from 1.
  writer.last_sequence = request.last_sequence();
  writer.import = writer.import || request.import;
  LinkNewest(index);
}

uint32_t WriterTable::Obtain(const WriterId& id) {
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    Unlink(found->second);
    return found->second;
  }
  // Makes room for one more writer.
  ForgetDownTo(writers_max_ - 1);
  return Create(id);
}

uint32_t WriterTable::Create(const WriterId& id) {
  uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<uint32_t>(writers_.size());
    writers_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  // The earliest possible time. Every later batch is after it, even one from before the machine's start.
  writers_[index] = {.id = id, .heard = SteadyTime::min()};
  by_id_.emplace(id, index);
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
  // At most two per call, so that no batch pays for many.
  for (int i = 0; i < 2; ++i) {
    const uint32_t oldest = writers_[kOrdinary].newer;
    if (oldest == kOrdinary || now - writers_[oldest].heard < limits::kWriterForgottenAfter) break;
    Forget(oldest);
  }
}

void WriterTable::ForgetDownTo(size_t writers) {
  while (by_id_.size() > writers) {
    const uint32_t oldest = writers_[kOrdinary].newer;
    Forget(oldest != kOrdinary ? oldest : writers_[kImports].newer);
  }
}

void WriterTable::SortBySilence() {
  std::vector<uint32_t> indexes;
  for (const uint32_t end : {kOrdinary, kImports}) {
    for (uint32_t at = writers_[end].newer; at != end; at = writers_[at].newer) indexes.push_back(at);
    writers_[end].older = writers_[end].newer = end;
  }
  std::stable_sort(indexes.begin(), indexes.end(),
                   [this](uint32_t a, uint32_t b) { return writers_[a].heard < writers_[b].heard; });
  for (const uint32_t index : indexes) LinkNewest(index);
}

template <typename Visit>
void WriterTable::ForEach(Visit visit) const {
  for (const uint32_t end : {kOrdinary, kImports}) {
    for (uint32_t at = writers_[end].newer; at != end; at = writers_[at].newer) visit(writers_[at]);
  }
}

void WriterTable::AppendTo(std::string& text, const Writer& writer, SteadyTime now) {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  const int64_t silence = duration_cast<milliseconds>(now - writer.heard).count() << 1 | (writer.import ? 1 : 0);
  char stored[kStoredWriterBytes];
  std::memcpy(stored, writer.id.bytes.data(), writer.id.bytes.size());
  little_endian::Store(stored + kSequenceAt, writer.last_sequence);
  little_endian::Store(stored + kSilenceAt, static_cast<uint64_t>(silence));
  text.append(stored, sizeof(stored));
}

std::string WriterTable::Serialize(SteadyTime now, const Filter& filter) const {
  std::string text;
  if (!filter) text.reserve(by_id_.size() * kStoredWriterBytes);
  ForEach([&](const Writer& writer) {
    if (!filter || filter(writer.id, writer.import)) AppendTo(text, writer, now);
  });
  return text;
}

absl::Status WriterTable::Merge(std::string_view text, SteadyTime now, const Filter& filter) {
  if (text.size() % kStoredWriterBytes != 0) return absl::DataLossError("a table of writers is cut off");
  for (; !text.empty(); text.remove_prefix(kStoredWriterBytes)) {
    WriterId id;
    std::memcpy(id.bytes.data(), text.data(), id.bytes.size());
    const auto last_sequence = little_endian::Load<uint64_t>(text.data() + kSequenceAt);
    const auto silence = static_cast<int64_t>(little_endian::Load<uint64_t>(text.data() + kSilenceAt));
    const bool import = (silence & 1) != 0;
    if (filter && !filter(id, import)) continue;
    const auto found = by_id_.find(id);
    if (found != by_id_.end()) Unlink(found->second);
    const uint32_t index = found != by_id_.end() ? found->second : Create(id);
    Writer& writer = writers_[index];
    writer.last_sequence = std::max(writer.last_sequence, last_sequence);
    writer.heard = std::max(writer.heard, now - std::chrono::milliseconds(silence >> 1));
    writer.import = writer.import || import;
    LinkNewest(index);
  }
  // Existing writers and those of merged tables are not in a common order of silence.
  SortBySilence();
  ForgetDownTo(writers_max_);
  return absl::OkStatus();
}

std::string WriterTable::Split(const Filter& leaving, SteadyTime now) {
  std::string text;
  std::vector<uint32_t> indexes;
  ForEach([&](const Writer& writer) {
    if (!leaving(writer.id, writer.import)) return;
    AppendTo(text, writer, now);
    indexes.push_back(by_id_.at(writer.id));
  });
  for (const uint32_t index : indexes) Forget(index);
  return text;
}

}  // namespace viewcount
