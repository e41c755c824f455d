#include "tests/simulation/planted_bugs.h"

namespace viewcount::simulation {
namespace {

constexpr PlantedBugEntry kBugs[] = {
    {PlantedBug::kSkipSync, "skip-sync", 2},
    {PlantedBug::kSkipFolderSync, "skip-folder-sync", 2},
    {PlantedBug::kKeepTornTail, "keep-torn-tail", 11},
    {PlantedBug::kKeepBytesBehindCut, "keep-bytes-behind-cut", 1168},
    {PlantedBug::kSkipWriteAgain, "skip-write-again", 3379},
    {PlantedBug::kTrimEarly, "trim-early", 1556},
    {PlantedBug::kAcknowledgeEarly, "acknowledge-early", 2},
    {PlantedBug::kAcknowledgeDuplicateEarly, "acknowledge-duplicate-early", 14},
    {PlantedBug::kAcceptGap, "accept-gap", 2},
    {PlantedBug::kAcceptUnknownStart, "accept-unknown-start", 11},
    {PlantedBug::kIgnoreCheckpoint, "ignore-checkpoint", 77},
    {PlantedBug::kCheckpointAhead, "checkpoint-ahead", 2},
    {PlantedBug::kSealUndurable, "seal-undurable", 2},
    {PlantedBug::kSettingsOutOfOrder, "settings-out-of-order", 728},
    {PlantedBug::kReuseIncarnation, "reuse-incarnation", 584},
    {PlantedBug::kFoldWithNewSettings, "fold-with-new-settings", 11},
    {PlantedBug::kResumeByLongerFold, "resume-by-longer-fold", 197},
    {PlantedBug::kForgetWithdraw, "forget-withdraw", 31},
    {PlantedBug::kDropPart, "drop-part", 3},
    {PlantedBug::kTrustLostAnswer, "trust-lost-answer", 121},
    {PlantedBug::kSkipVerify, "skip-verify", 991},
    {PlantedBug::kGiveUpAppliedPart, "give-up-applied-part", 197},
    {PlantedBug::kIgnoreLost, "ignore-lost", 197},
    {PlantedBug::kKeepCacheOnRewind, "keep-cache-on-rewind", 917},
};
static_assert(std::size(kBugs) + 1 == static_cast<size_t>(PlantedBug::kEnd), "each has a name");

}  // namespace

std::span<const PlantedBugEntry> PlantedBugs() { return kBugs; }

}  // namespace viewcount::simulation
