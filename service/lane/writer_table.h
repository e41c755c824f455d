// Remembers the last sequence that a lane took from each writer, so that repeated batches are recognised
// (docs/PROTOCOL.md, "Deduplication").
#pragma once

#include <absl/status/status.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/clock.h"
#include "service/base/identifiers.h"
#include "service/model/views_request.h"

namespace viewcount {

// The dedupe table of a lane. Not thread-safe: used by the lane's thread. It holds at most limits::kWritersMax writers;
// beyond that it forgets the writer that has been silent for longest. It also forgets writers after
// limits::kWriterForgottenAfter of silence. Writers of imports are forgotten only when no other writer is left.
class WriterTable {
 public:
  // The decision about a batch.
  enum class Verdict : uint8_t {
    // The batch is the next in sequence. Its last sequence is now the last one taken.
    kNew,
    // The batch begins at or below the last sequence taken.
    kDuplicate,
    // The batch leaves sequences out. `last_sequence + 1` is expected.
    kGap,
    // The writer is not known (any more), and the batch is not its first.
    kUnknown,
  };
  struct Decision {
    Verdict verdict = Verdict::kNew;
    uint64_t last_sequence = 0;
  };

  explicit WriterTable(size_t writers_max = limits::kWritersMax) : writers_max_(writers_max) {}

  // Decides on a batch that has a writer, and remembers the batch if it is new.
  Decision Take(const ViewsRequest& request, SteadyTime now);
  // Remembers a batch that was taken before and is replayed from the journal.
  void Replay(const ViewsRequest& request, SteadyTime now);
  size_t size() const { return by_id_.size(); }

  // Selects writers. A null filter selects all.
  using Filter = std::function<bool(const WriterId& id, bool import)>;
  // Returns the selected writers as bytes for a checkpoint. Silence is stored as a duration: wall clocks do not matter,
  // and time while the machine was off does not count.
  std::string Serialize(SteadyTime now, const Filter& filter = {}) const;
  // Adds the selected writers of another table. A writer in both tables gets the higher sequence. Returns DATA_LOSS for
  // text that no table wrote; part of it may have been added then.
  absl::Status Merge(std::string_view text, SteadyTime now, const Filter& filter = {});
  // Forgets the writers that `leaving` selects, and returns them in the form that Merge reads.
  std::string Split(const Filter& leaving, SteadyTime now);

 private:
  // A writer, linked into a list by the time of its last batch, oldest first.
  struct Writer {
    WriterId id;
    uint64_t last_sequence = 0;
    SteadyTime heard;
    uint32_t older = 0;
    uint32_t newer = 0;
    bool import = false;
  };
  // The list of ordinary writers ends at index 0 of `writers_`, and the list of imports at index 1.
  static constexpr uint32_t kOrdinary = 0;
  static constexpr uint32_t kImports = 1;

  void Unlink(uint32_t index);
  void LinkNewest(uint32_t index);
  void Forget(uint32_t index);
  void ForgetSilent(SteadyTime now);
  // Forgets writers until at most `writers` remain. The longest silent are forgotten first, imports last.
  void ForgetDownTo(size_t writers);
  // Sorts both lists by silence again.
  void SortBySilence();
  // Adds a writer that is not linked into a list yet. Returns its index.
  uint32_t Create(const WriterId& id);
  // Returns the index of a writer after unlinking it from its list. Creates the writer if it is not known.
  uint32_t Obtain(const WriterId& id);
  // Calls `visit(const Writer&)` for all writers. In each list the longest silent come first.
  template <typename Visit>
  void ForEach(Visit visit) const;
  static void AppendTo(std::string& text, const Writer& writer, SteadyTime now);

  const size_t writers_max_;
  boost::unordered_flat_map<WriterId, uint32_t, Id128Hash<WriterIdTag>> by_id_;
  std::vector<Writer> writers_{{.older = kOrdinary, .newer = kOrdinary}, {.older = kImports, .newer = kImports}};
  std::vector<uint32_t> free_;
};

}  // namespace viewcount
