// Bugs that the simulation must find, to show that it can. There are none in anything but its own second program:
// without VIEWCOUNT_PLANTED_BUGS every question below is `false` when compiled.
#pragma once

#include <cstdint>

namespace viewcount {

enum class PlantedBug : uint8_t {
  kNone,
  // The journal.
  kSkipSync,
  kSkipFolderSync,
  kKeepTornTail,
  kKeepBytesBehindCut,
  kSkipWriteAgain,
  kTrimEarly,
  // The lane.
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
  // Folding again.
  kFoldWithNewSettings,
  kResumeByLongerFold,
  kFoldFromJournalEnd,
  kForgetWithdraw,
  kDecideVisitsAnew,
  kDecideCoolDownsAnew,
  // The flusher and the store.
  kDropPart,
  kTrustLostAnswer,
  kSkipVerify,
  kCompareCursorGreater,
  kGiveUpAppliedPart,
  kIgnoreLost,
  kApplyToTornShard,
  kReadTornShard,
  kTakeTornAsApplied,
  // Readers.
  kKeepCacheOnRewind,
  kEnd
};

#ifdef VIEWCOUNT_PLANTED_BUGS
// Chosen before anything runs.
inline PlantedBug planted_bug = PlantedBug::kNone;
inline bool Planted(PlantedBug bug) { return planted_bug == bug; }
#else
constexpr bool Planted(PlantedBug) { return false; }
#endif

}  // namespace viewcount
