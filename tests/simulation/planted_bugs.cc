#include "tests/simulation/planted_bugs.h"

namespace viewcount::simulation {
namespace {

constexpr PlantedBugEntry kBugs[] = {
    {PlantedBug::kSkipSync, "skip-sync", 2},
    {PlantedBug::kSkipFolderSync, "skip-folder-sync", 19},
    {PlantedBug::kKeepTornTail, "keep-torn-tail", 11},
    {PlantedBug::kKeepBytesBehindCut, "keep-bytes-behind-cut", 285},
    {PlantedBug::kSkipWriteAgain, "skip-write-again", 870},
    {PlantedBug::kTrimEarly, "trim-early", 72},
    {PlantedBug::kAcknowledgeEarly, "acknowledge-early", 1},
    {PlantedBug::kAcknowledgeDuplicateEarly, "acknowledge-duplicate-early", 2},
    {PlantedBug::kAcceptGap, "accept-gap", 1},
    {PlantedBug::kAcceptUnknownStart, "accept-unknown-start", 12},
    {PlantedBug::kIgnoreCheckpoint, "ignore-checkpoint", 87},
    {PlantedBug::kForgetCoolDowns, "forget-cool-downs", 569},
    {PlantedBug::kCheckpointAhead, "checkpoint-ahead", 9},
    {PlantedBug::kSealUndurable, "seal-undurable", 87},
    {PlantedBug::kSettingsOutOfOrder, "settings-out-of-order", 2355},
    {PlantedBug::kReuseIncarnation, "reuse-incarnation", 30},
    {PlantedBug::kForgetUnchecked, "forget-unchecked", 10934},
    {PlantedBug::kRemoveWritersEarly, "remove-writers-early", 508},
    {PlantedBug::kForgetLaneEarly, "forget-lane-early", 12270},
    {PlantedBug::kRetireLaneEarly, "retire-lane-early", 13},
    {PlantedBug::kFoldWithNewSettings, "fold-with-new-settings", 17},
    {PlantedBug::kResumeByLongerFold, "resume-by-longer-fold", 119},
    {PlantedBug::kFoldFromJournalEnd, "fold-from-journal-end", 11},
    {PlantedBug::kForgetWithdraw, "forget-withdraw", 1},
    {PlantedBug::kDecideVisitsAnew, "decide-visits-anew", 63},
    {PlantedBug::kDecideCoolDownsAnew, "decide-cool-downs-anew", 22},
    {PlantedBug::kDropPart, "drop-part", 4},
    {PlantedBug::kTrustLostAnswer, "trust-lost-answer", 121},
    {PlantedBug::kSkipVerify, "skip-verify", 1},
    {PlantedBug::kCompareCursorGreater, "compare-cursor-greater", 54},
    {PlantedBug::kGiveUpAppliedPart, "give-up-applied-part", 11879},
    {PlantedBug::kIgnoreLost, "ignore-lost", 33},
    {PlantedBug::kApplyToTornShard, "apply-to-torn-shard", 4333},
    {PlantedBug::kReadTornShard, "read-torn-shard", 134},
    {PlantedBug::kTakeTornAsApplied, "take-torn-as-applied", 96},
    {PlantedBug::kKeepCacheOnRewind, "keep-cache-on-rewind", 237},
};
static_assert(std::size(kBugs) + 1 == static_cast<size_t>(PlantedBug::kEnd), "each has a name");

}  // namespace

std::span<const PlantedBugEntry> PlantedBugs() { return kBugs; }

}  // namespace viewcount::simulation
