// Every named maximum of the service, and the relations between them.
//
// A limit that a caller can meet is answered with an error that names it. Units are in the names or the comments.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace viewcount::limits {

// --- Requests -------------------------------------------------------------------------------------------------------

inline constexpr size_t kRequestBytesMax = 4 << 20;
// gRPC itself cuts off above this; between the two our own decoder answers with the reason.
inline constexpr size_t kGrpcMessageBytesMax = 8 << 20;
inline constexpr int kGrpcStreamsPerConnectionMax = 10'000;
// What gRPC may hold in buffers; above it new reads wait.
inline constexpr size_t kGrpcMemoryBytesMax = size_t{512} << 20;
inline constexpr size_t kBatchViewsMax = 10'000;
inline constexpr size_t kArticleIdBytesMax = 512;
inline constexpr uint32_t kViewCountMax = 1'000'000;
inline constexpr size_t kTakeoversMax = 64;
inline constexpr uint32_t kSequenceSpanMax = 1 << 30;
inline constexpr size_t kWriterIdBytes = 16;
inline constexpr size_t kSiteNameBytesMax = 64;
inline constexpr size_t kSitesMax = 10'000;
inline constexpr size_t kSiteOriginsMax = 64;
inline constexpr size_t kSiteExcludedAddressesMax = 64;
// Origins and excluded addresses of all sites together: every segment of every journal begins with them.
inline constexpr size_t kSiteListsBytesMax = 1 << 20;
inline constexpr std::chrono::milliseconds kEventAgeMax = std::chrono::hours(24);
inline constexpr std::chrono::milliseconds kEventAheadMax = std::chrono::minutes(5);
// Imports may be of any age within the years that a key can name (1970 to 9999).
inline constexpr int64_t kEventTimeUnixMsMax = 253'402'300'799'999;
inline constexpr size_t kGetCountsArticlesMax = 1'000;
// Of one request to watch counts.
inline constexpr size_t kWatchArticlesMax = 1'000;
inline constexpr uint32_t kPageSizeMax = 256;
inline constexpr uint32_t kPageSizeDefault = 20;
// Wheels that an odometer may be asked for; a number that has more digits gets them.
inline constexpr uint32_t kOdometerDigitsMax = 16;

// --- Visitors -------------------------------------------------------------------------------------------------------

// What is looked at of a user agent, be it for a verdict or for the viewer's hash; browsers' have some 300 bytes at
// most.
inline constexpr size_t kAgentBytesMax = 1'024;
// Agents whose verdicts a thread remembers: 8 bytes each.
inline constexpr size_t kAgentVerdictsMax = 4'096;
// What the patterns that are no plain texts may take; when RE2 has filled it, it begins anew.
inline constexpr int64_t kBotExpressionsBytesMax = 8 << 20;
// A viewer's pause of more than this ends a visit. So long into a day its viewers are also known by the salt of the day
// before; then that salt is deleted everywhere.
inline constexpr std::chrono::milliseconds kVisitPause = std::chrono::minutes(30);
// How long before a site's midnight the next day's salt is obtained: the store may be away for less.
inline constexpr std::chrono::milliseconds kSaltAhead = std::chrono::minutes(10);
// How often salts are looked after; and what in the store can be used by nobody.
inline constexpr std::chrono::milliseconds kSaltInterval{1'000};
inline constexpr std::chrono::milliseconds kSaltRetryInterval = std::chrono::minutes(1);
// Fields that one call reads, or removes, among the salts of all sites.
inline constexpr size_t kSaltsStep = 1'000;

// Above a day it is of use only where callers name viewers themselves: those of browsers have another name each day.
inline constexpr std::chrono::seconds kCoolDownMax = std::chrono::hours(7 * 24);
// Viewers whose last view a lane remembers to tell visits apart; some 20 bytes each. Beyond that those not seen for
// longest are forgotten before their visit is over, and their next view begins another one.
inline constexpr size_t kVisitorsPerLaneMax = 4'000'000;
// Pairs of viewer and article whose cool-down a lane remembers; at most 40 bytes each. Beyond that those counted
// longest ago are forgotten, and the next view counts sooner.
inline constexpr size_t kCoolDownsPerLaneMax = 10'000'000;
// Who was seen within this time is online. The store keeps viewers by spans of kOnlineSlot, so that much less is meant
// at most; it forgets them after kOnlineKeysExpireAfter.
inline constexpr std::chrono::seconds kOnlineSpan{300};
inline constexpr std::chrono::seconds kOnlineSlot{5};
inline constexpr std::chrono::seconds kOnlineKeysExpireAfter{900};
// Whom one call adds to sets: a fraction of a millisecond of Redis.
inline constexpr size_t kViewersPerCallMax = 512;

// --- Floods ---------------------------------------------------------------------------------------------------------

// What may come at once, in time of what may come at an even pace: ten seconds' views of an address, which may be that
// of some hundred people; an hour's new articles of a site, so that a portal can begin with all it has.
inline constexpr std::chrono::seconds kFloodBurst{10};
inline constexpr std::chrono::seconds kNewArticlesBurst{3'600};
// Addresses whose budgets are remembered; 16 bytes each.
inline constexpr size_t kFloodAddresses = 65'536;
// Articles that are known not to be new without asking the store; 8 bytes each.
inline constexpr size_t kKnownArticlesMax = 1 << 20;
// Defaults of --address-views-per-second and --new-articles-per-minute, and the most that they can be.
inline constexpr uint32_t kAddressViewsPerSecond = 100;
inline constexpr uint32_t kNewArticlesPerMinute = 1'000;
inline constexpr uint32_t kFloodRateMax = 1'000'000'000;

// --- Lanes ----------------------------------------------------------------------------------------------------------

inline constexpr uint32_t kLanesMax = 64;
inline constexpr size_t kLaneQueueBytesMax = 64 << 20;
inline constexpr size_t kLaneQueueBatchesMax = 65'536;
// What a lane takes from its queue at once: one journal write, one sync.
inline constexpr size_t kLaneGroupBytesMax = 4 << 20;
// Writers whose last sequence a lane remembers; the one not heard of for longest is forgotten first.
inline constexpr size_t kWritersMax = 1'000'000;
inline constexpr std::chrono::hours kWriterForgottenAfter{24};
// An open chunk of this size is sealed at once instead of at the next interval.
inline constexpr size_t kChunkSealBytes = 64 << 20;
// While the store is away one open chunk gathers everything; at this size further views are refused.
inline constexpr size_t kChunkBytesMax = size_t{1} << 30;

// Earlier starts that a lane remembers.
inline constexpr size_t kIncarnationsKept = 1'000;
// Batches that wait to be answered as stored, and for how long; then they are answered as journaled.
inline constexpr size_t kStoredWaitersMax = 65'536;
inline constexpr std::chrono::milliseconds kStoredWait{5'000};
// How often a lane looks after its journal: checkpoints, spare segments, what can go.
inline constexpr std::chrono::milliseconds kMaintenanceInterval{250};

// --- Journal --------------------------------------------------------------------------------------------------------

inline constexpr uint64_t kJournalSegmentBytes = 64 << 20;
// Of a small budget: a quarter of it.
inline constexpr uint64_t kJournalSegmentBytesMin = 16 << 20;
inline constexpr uint64_t kJournalBudgetBytesMin = 4 * kJournalSegmentBytesMin;
inline constexpr uint64_t kJournalBudgetBytes = uint64_t{8} << 30;
// Redis may come back without its last seconds; a failover or a restore by hand takes minutes.
inline constexpr std::chrono::milliseconds kJournalRetention = std::chrono::minutes(10);
// Of one record; a reader's buffer may grow to it.
inline constexpr size_t kJournalPayloadBytesMax = 8 << 20;
// What a reader takes from the disk at once.
inline constexpr size_t kJournalReadBytes = 1 << 20;
// Segment files kept for the segments to come.
inline constexpr size_t kJournalSparesMax = 2;

// --- Store ----------------------------------------------------------------------------------------------------------

// Parts of the store. Fixed for the life of a data set: an article's keys depend on it.
inline constexpr uint32_t kShards = 64;
inline constexpr uint32_t kStoreFormatVersion = 1;
inline constexpr uint64_t kCountMax = uint64_t{1} << 53;
inline constexpr uint32_t kRankedAllTimeAndDay = 256;
inline constexpr uint32_t kRankedHour = 64;
inline constexpr std::chrono::hours kHourKeysExpireAfter{8 * 24};
inline constexpr size_t kFlushPartArticlesMax = 384;
// Fields one part may write over all its hashes, so that no call holds Redis longer than a few milliseconds. A single
// article with more (an import over many hours) still goes in one part.
inline constexpr size_t kFlushPartFieldsMax = 2'048;
inline constexpr size_t kFlushPartsInFlightMax = 4;
// How often an idle flusher looks whether the store is still where it left it.
inline constexpr std::chrono::milliseconds kStoreCheckInterval{10'000};
inline constexpr std::chrono::milliseconds kStoreCommandTimeout{5'000};
inline constexpr std::chrono::milliseconds kStoreConnectTimeout{2'000};
inline constexpr std::chrono::milliseconds kStoreReconnectDelayMin{20};
inline constexpr std::chrono::milliseconds kStoreReconnectDelayMax{1'000};
// Commands waiting for one connection; above it they fail at once.
inline constexpr size_t kStorePendingCommandsMax = 10'000;

// --- Audit of the store
// -----------------------------------------------------------------------------------------------

// Keys or fields that one call looks at: less than a millisecond of Redis.
inline constexpr size_t kAuditStep = 1'000;
// How often something that changed meanwhile is looked at again before it is called busy.
inline constexpr int kAuditAttemptsMax = 5;
// How often a shard that a script left torn is restored, and what found it so is tried again, in one call.
inline constexpr int kRestoreAttemptsMax = 5;
// Differences told in words; the rest is counted.
inline constexpr size_t kAuditDifferencesMax = 100;

// --- Embedded Redis -------------------------------------------------------------------------------------------------

// How long to wait for a server left over by a killed process, for the first answer, and for a clean end.
inline constexpr std::chrono::milliseconds kEmbeddedLockWait{10'000};
inline constexpr std::chrono::milliseconds kEmbeddedReadyWait{10'000};
inline constexpr std::chrono::milliseconds kEmbeddedStopWait{10'000};
// A server that dies is restarted at once; one that dies again sooner than "stable" waits, twice as long each time.
inline constexpr std::chrono::milliseconds kEmbeddedRestartDelayMin{100};
inline constexpr std::chrono::milliseconds kEmbeddedRestartDelayMax{5'000};
inline constexpr std::chrono::milliseconds kEmbeddedStableAfter{10'000};
// Checked whenever the server is started; a larger log is moved to redis.log.1.
inline constexpr size_t kEmbeddedLogBytesMax = 10 << 20;

// --- HTTP -----------------------------------------------------------------------------------------------------------

inline constexpr size_t kHttpHeaderBytesMax = 16 << 10;
inline constexpr size_t kHttpBodyBytesMax = 64 << 10;
// Of the admin address.
inline constexpr size_t kHttpConnectionsMax = 1'024;
// Of the public address: each reader of live counts keeps one open.
inline constexpr size_t kPublicConnectionsMax = 16'000;
// From one address that is no proxy: some hundred people behind one router.
inline constexpr size_t kPublicConnectionsPerAddressMax = 512;
// What the kernel holds for a reader of live counts that does not read; then it has kHttpRequestTimeout.
inline constexpr int kHttpEventsSendBufferBytes = 64 << 10;
// After so long without an event a comment shows that the connection still is one.
inline constexpr std::chrono::milliseconds kHttpEventsHeartbeat{15'000};
// Views in one body from a browser.
inline constexpr size_t kBrowserViewsMax = 100;
// Of a picture's texts, each.
inline constexpr size_t kPictureTextBytesMax = 100;
// What --demo-dir may hold; it is kept in memory.
inline constexpr size_t kDemoFilesMax = 1'000;
inline constexpr size_t kDemoBytesMax = 16 << 20;
// From a request's first byte to its last, and the same again for writing the answer.
inline constexpr std::chrono::milliseconds kHttpRequestTimeout{10'000};
// Between two requests, and before the first.
inline constexpr std::chrono::milliseconds kHttpIdleTimeout{60'000};
// What a stop waits for requests that are being answered.
inline constexpr std::chrono::milliseconds kHttpDrainTimeout{5'000};
// How long a refused sender is listened to, so that it reads the refusal before its connection is reset.
inline constexpr std::chrono::milliseconds kHttpLingerTimeout{1'000};
inline constexpr std::chrono::milliseconds kHttpAcceptRetryDelay{100};

// --- Queries --------------------------------------------------------------------------------------------------------

inline constexpr std::chrono::milliseconds kCountCacheAge{1'000};
inline constexpr size_t kCountCacheArticlesPerShardMax = 8'192;
// How often a read that met a shard in motion is made again before its answer is called inexact.
inline constexpr int kReadAttemptsMax = 5;
inline constexpr std::chrono::milliseconds kRetryDelay{500};
// Articles outside the rankings whose counts one popular list may read because of their pending views.
inline constexpr size_t kPopularContendersMax = 20'000;

// How often watched counts are read, and the most often that a watcher is told of changes.
inline constexpr std::chrono::milliseconds kWatchInterval{1'000};
// A watcher that took a message this long ago gets the next: ticks come a little late or early.
inline constexpr std::chrono::milliseconds kWatchPause{900};
inline constexpr size_t kWatchersMax = 20'000;
// Of all watchers together: different articles, each of which is read every second, and the sum of what each watches.
inline constexpr size_t kWatchedArticlesMax = 50'000;
inline constexpr size_t kWatchesMax = 1'000'000;
// New watchers whose articles are read at once; more wait for their turn. All readers of a portal come together when
// the service has started, with nothing in the cache yet.
inline constexpr size_t kWatchFirstReadsMax = 16;
// At these limits: they are not met for moments.
inline constexpr std::chrono::milliseconds kWatchRetryDelay{10'000};

// --- Announced articles
// -----------------------------------------------------------------------------------------------

inline constexpr size_t kPutArticlesMax = 1'000;
inline constexpr size_t kArticleTitleBytesMax = 1'000;
inline constexpr size_t kArticleUrlBytesMax = 2'000;
inline constexpr size_t kArticleSectionBytesMax = 200;

// --- Adjustments ----------------------------------------------------------------------------------------------------

inline constexpr size_t kDeleteArticlesMax = 1'000;
inline constexpr uint32_t kAdjustmentsPageMax = 1'000;
inline constexpr uint32_t kAdjustmentsPageDefault = 100;
// Of who and why, each.
inline constexpr size_t kProvenanceBytesMax = 1'000;
// Of one adjustment in the journal; the store keeps it as text, some five times as long.
inline constexpr size_t kAdjustmentBytesMax = 1 << 20;
// Changes that wait for their turn; each waits for some reads of the store.
inline constexpr size_t kAdjustmentsWaitingMax = 64;
// Of all sites' aliases together: every segment of every journal begins with them.
inline constexpr size_t kAliasBytesMax = 2 << 20;
// How long a new alias may take until every lane has journaled it.
inline constexpr std::chrono::milliseconds kAliasWait{5'000};
// Counts that one read takes to find everything that is counted of some articles; but all of one article.
inline constexpr size_t kSurveyFieldsMax = 4'096;

// --- Stopping: together less than the 10 s that a supervisor is told to wait
// ------------------------------------------

inline constexpr std::chrono::milliseconds kStopWait{9'500};
inline constexpr std::chrono::milliseconds kStopCallsWait{1'500};
inline constexpr std::chrono::milliseconds kStopFlushWait{3'500};
inline constexpr std::chrono::milliseconds kStopStoreWait{1'000};
inline constexpr std::chrono::milliseconds kStopEmbeddedWait{2'000};
inline constexpr std::chrono::milliseconds kStopAdminWait{250};
// Twice: before the lanes end, and behind the store.
inline constexpr std::chrono::milliseconds kStopHttpWait{125};

// --- Relations ------------------------------------------------------------------------------------------------------

static_assert(kRequestBytesMax < kGrpcMessageBytesMax);
static_assert(kRequestBytesMax <= kLaneGroupBytesMax, "a group must take the largest request");
static_assert(kLaneGroupBytesMax <= kLaneQueueBytesMax);
static_assert(4 * kLaneGroupBytesMax <= kJournalSegmentBytesMin, "a group must fit a segment, whatever it begins with");
static_assert((2 + kJournalSparesMax) * kJournalSegmentBytes < kJournalBudgetBytes);
static_assert(kLaneGroupBytesMax < kJournalPayloadBytesMax, "the largest request must fit a record");
static_assert(kAliasBytesMax + kSiteListsBytesMax < kLaneGroupBytesMax,
              "a site's settings must fit where a group does");
static_assert(kAdjustmentBytesMax <= kLaneGroupBytesMax, "an adjustment must fit where a group does");
static_assert(2 * kJournalPayloadBytesMax <= kJournalSegmentBytesMin);
static_assert(kHttpHeaderBytesMax < kHttpBodyBytesMax && kHttpBodyBytesMax < kRequestBytesMax);
static_assert(kPublicConnectionsPerAddressMax < kPublicConnectionsMax);
static_assert(kPageSizeMax <= kRankedAllTimeAndDay, "a first page must fit the exact ranking");
static_assert(kWatchArticlesMax <= kGetCountsArticlesMax, "they are read at once");
static_assert(kWatchPause <= kWatchInterval);
static_assert(kSaltInterval < kSaltAhead && kSaltInterval < kVisitPause);
static_assert(8 * kWatchFirstReadsMax * kShards < kStorePendingCommandsMax,
              "each may ask every shard, in some commands");
static_assert(kWatchedArticlesMax <= kWatchesMax);
static_assert(kEmbeddedRestartDelayMin <= kEmbeddedRestartDelayMax);
static_assert(kOnlineSpan % kOnlineSlot == std::chrono::seconds(0));
static_assert(kOnlineSpan < kOnlineKeysExpireAfter);
static_assert(kChunkSealBytes < kChunkBytesMax);
static_assert(kStopCallsWait + kStopFlushWait + 2 * kStopStoreWait + 2 * kStopHttpWait + kStopEmbeddedWait +
                  kStopAdminWait <=
              kStopWait);
static_assert(kStopWait < std::chrono::seconds(10));
static_assert(kStoreCommandTimeout + 2 * kStopStoreWait + 2 * kStopHttpWait + kStopEmbeddedWait + kStopAdminWait <=
                  kStopWait,
              "a call may wait for Redis that long");
static_assert((kShards & (kShards - 1)) == 0, "shards are picked by the top bits of a hash");
static_assert(uint64_t{kBatchViewsMax} * kViewCountMax < kCountMax);

}  // namespace viewcount::limits
