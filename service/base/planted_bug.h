// Bugs that the simulation must find, which proves that it can find them. They exist only in a second program of the
// simulation. Without VIEWCOUNT_PLANTED_BUGS, Planted is the constant `false` at compile time.
#pragma once

#include <cstdint>

namespace viewcount {

enum class PlantedBug : uint8_t {
  kNone,
  // Bugs in the journal.
  kSkipSync,
  kSkipFolderSync,
  kKeepTornTail,
  kKeepBytesBehindCut,
  kSkipWriteAgain,
  kTrimEarly,
  // Bugs in the lane.
  kAcknowledgeEarly,
  kAcknowledgeDuplicateEarly,
  kAcceptGap,
  kAcceptUnknownStart,
  kIgnoreCheckpoint,
  kForgetCoolDowns,
  kCheckpointAhead,
  kSealUndurable,
  kSettingsOutOfOrder,
  kReuseIncarnation,
  kForgetUnchecked,
  // Bugs in a change of the number of lanes.
  kRemoveWritersEarly,
  kForgetLaneEarly,
  kRetireLaneEarly,
  // Bugs in folding again from the journal.
  kFoldWithNewSettings,
  kResumeByLongerFold,
  kFoldFromJournalEnd,
  kForgetWithdraw,
  kDecideVisitsAnew,
  kDecideCoolDownsAnew,
  // Bugs in the flusher and the store.
  kDropPart,
  kTrustLostAnswer,
  kSkipVerify,
  kCompareCursorGreater,
  kGiveUpAppliedPart,
  kIgnoreLost,
  kApplyToTornShard,
  kReadTornShard,
  kTakeTornAsApplied,
  // Bugs in the readers of counts.
  kKeepCacheOnRewind,
  kEnd
};

#ifdef VIEWCOUNT_PLANTED_BUGS
// The bug that is switched on. It is chosen before any other code runs.
inline PlantedBug planted_bug = PlantedBug::kNone;
inline bool Planted(PlantedBug bug) { return planted_bug == bug; }
#else
constexpr bool Planted(PlantedBug) { return false; }
#endif

}  // namespace viewcount
