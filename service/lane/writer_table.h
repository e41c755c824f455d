// Which sequences a lane has taken from each writer: dedupe in sequence (docs/PROTOCOL.md, "Deduplication").
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
#include "service/ingest/views_request.h"

namespace viewcount {

// Used by one lane's thread. Bounded by limits::kWritersMax: the writer not heard of for longest is forgotten first,
// and anyone after limits::kWriterForgottenAfter of silence; writers of imports only when nobody else is left.
class WriterTable {
 public:
  enum class Verdict : uint8_t {
    // The next in sequence; it is now the last taken.
    kNew,
    // Begins at or below the last taken.
    kDuplicate,
    // Leaves some out; `last_sequence + 1` is expected.
    kGap,
    // Not the first of a writer that is not known (any more).
    kUnknown,
  };
  struct Decision {
    Verdict verdict = Verdict::kNew;
    uint64_t last_sequence = 0;
  };

  explicit WriterTable(size_t writers_max = limits::kWritersMax) : writers_max_(writers_max) {}

  // Decides on a batch that has a writer, and remembers it if it is new.
  Decision Take(const ViewsRequest& request, SteadyTime now);
  // Remembers a batch that was taken once already: what the journal holds.
  void Replay(const ViewsRequest& request, SteadyTime now);
  size_t size() const { return by_id_.size(); }

  // Everything remembered, as text for a checkpoint. Silence is kept as a duration, so that no wall clock matters and
  // the time a machine was down does not count.
  // Which writers to take; all without one.
  using Filter = std::function<bool(const WriterId& id, bool import)>;
  std::string Serialize(SteadyTime now, const Filter& filter = {}) const;
  // Adds what another table remembered, each writer at the higher of both sequences. DATA_LOSS for text that no table
  // wrote; then part of it may have been added.
  absl::Status Merge(std::string_view text, SteadyTime now, const Filter& filter = {});
  // Forgets the writers that `leaving` takes, and returns them as text for Merge.
  std::string Split(const Filter& leaving, SteadyTime now);

 private:
  // A writer; linked into a list by time of the last batch, oldest first.
  struct Writer {
    WriterId id;
    uint64_t last_sequence = 0;
    SteadyTime heard;
    uint32_t older = 0;
    uint32_t newer = 0;
    bool import = false;
  };
  // Index 0 of `writers_` is the end of the list of ordinary writers, 1 that of imports.
  static constexpr uint32_t kOrdinary = 0;
  static constexpr uint32_t kImports = 1;

  void Unlink(uint32_t index);
  void LinkNewest(uint32_t index);
  void Forget(uint32_t index);
  void ForgetSilent(SteadyTime now);
  // Those not heard of for longest go, imports last.
  void ForgetDownTo(size_t writers);
  // Puts the lists in order again.
  void SortBySilence();
  uint32_t Create(const WriterId& id);
  // The writer's index, unlinked; made if it is not known.
  uint32_t Obtain(const WriterId& id);
  // Calls `visit(const Writer&)` for all, those not heard of for longest first.
  template <typename Visit>
  void ForEach(Visit visit) const;
  static void AppendTo(std::string& text, const Writer& writer, SteadyTime now);

  const size_t writers_max_;
  boost::unordered_flat_map<WriterId, uint32_t, Id128Hash<WriterIdTag>> by_id_;
  std::vector<Writer> writers_{{.older = kOrdinary, .newer = kOrdinary}, {.older = kImports, .newer = kImports}};
  std::vector<uint32_t> free_;
};

}  // namespace viewcount
