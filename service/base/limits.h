// Every named maximum of the service, and the relations between them.
//
// A caller that exceeds a limit gets an error that names the limit. Units are in the names or the comments.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace viewcount::limits {

// --- Requests -------------------------------------------------------------------------------------------------------

inline constexpr size_t kRequestBytesMax = 4 << 20;
// gRPC rejects larger messages. Between kRequestBytesMax and this size our own decoder rejects them and states the
// reason.
inline constexpr size_t kGrpcMessageBytesMax = 8 << 20;
inline constexpr int kGrpcStreamsPerConnectionMax = 10'000;
// The memory that gRPC calls may hold. It is the quota of the gRPC library, and the maximum for each event loop of the
// HTTP/2 server. Above it calls are refused.
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
// Origins and excluded addresses of all sites together. They are limited because every segment of every journal begins
// with them.
inline constexpr size_t kSiteListsBytesMax = 1 << 20;
inline constexpr std::chrono::milliseconds kEventAgeMax = std::chrono::hours(24);
inline constexpr std::chrono::milliseconds kEventAheadMax = std::chrono::minutes(5);
// Imports may be of any age within the years that a key can name (1970 to 9999).
inline constexpr int64_t kEventTimeUnixMsMax = 253'402'300'799'999;
inline constexpr size_t kGetCountsArticlesMax = 1'000;
// The number of hours or days in a series.
inline constexpr size_t kSeriesPointsMax = 1'000;
// The maximum number of days and hours in the window of a list or an export.
inline constexpr size_t kWindowPartsMax = 400;
// The number of exports of all articles at the same time. Each takes Redis some of its time, and memory for the
// articles of a shard.
inline constexpr size_t kExportsMax = 4;
// The time that the client of an export may take to read one piece of up to 1,000 articles.
inline constexpr std::chrono::seconds kExportPatience{60};
// The maximum number of articles in one request to watch counts.
inline constexpr size_t kWatchArticlesMax = 1'000;
inline constexpr uint32_t kPageSizeMax = 1'000;
inline constexpr uint32_t kPageSizeDefault = 20;
// The maximum number of wheels that a request for an odometer may ask for. A number with more digits still gets a wheel
// for each digit.
inline constexpr uint32_t kOdometerDigitsMax = 16;

// --- Visitors -------------------------------------------------------------------------------------------------------

// How many bytes of a user agent are examined, for the bot verdict and for the viewer's hash. Browsers send about 300
// bytes at most.
inline constexpr size_t kAgentBytesMax = 1'024;
// The number of user agents whose verdicts a thread remembers. Each takes 8 bytes.
inline constexpr size_t kAgentVerdictsMax = 4'096;
// The memory for those bot patterns that are not plain texts. When RE2 has filled it, it clears its cache and begins
// again.
inline constexpr int64_t kBotExpressionsBytesMax = 8 << 20;
// The number of entries in each of a site's two lists of agents, and the size of an entry.
inline constexpr size_t kAgentPatternsMax = 64;
inline constexpr size_t kAgentPatternBytesMax = 256;
// The memory for each of these lists. When RE2 has filled it, it clears its cache and begins again.
inline constexpr int64_t kAgentPatternsBytesMax = 1 << 20;
// A viewer's pause that is longer than this ends a visit. For this long after midnight, viewers are also recognised by
// the salt of the day before. Then that salt is deleted everywhere.
inline constexpr std::chrono::milliseconds kVisitPause = std::chrono::minutes(30);
// How long before a site's midnight the next day's salt is obtained. An outage of the store does no harm if it is
// shorter than this.
inline constexpr std::chrono::milliseconds kSaltAhead = std::chrono::minutes(10);
// How often salts are checked and refreshed, and how often unusable salts are removed from the store.
inline constexpr std::chrono::milliseconds kSaltInterval{1'000};
inline constexpr std::chrono::milliseconds kSaltRetryInterval = std::chrono::minutes(1);
// How many fields one call reads or removes among the salts of all sites.
inline constexpr size_t kSaltsStep = 1'000;

// More than a day is useful only where callers name viewers themselves. The viewers of browsers get another name each
// day.
inline constexpr std::chrono::seconds kCoolDownMax = std::chrono::hours(7 * 24);
// The number of viewers whose last view a lane remembers, to distinguish visits. Each takes about 20 bytes. Beyond this
// number, the viewers not seen for the longest time are forgotten before their visit is over. Their next view then
// begins another visit.
inline constexpr size_t kVisitorsPerLaneMax = 4'000'000;
// The number of pairs of viewer and article whose cool-down a lane remembers. Each takes at most 40 bytes. Beyond this
// number, the pairs counted longest ago are forgotten, and their next view counts sooner.
inline constexpr size_t kCoolDownsPerLaneMax = 10'000'000;
// A viewer seen within this time counts as online. The store groups viewers into time slots of kOnlineSlot, so the
// effective time is shorter by up to one slot. The store deletes the slots after kOnlineKeysExpireAfter.
inline constexpr std::chrono::seconds kOnlineSpan{300};
inline constexpr std::chrono::seconds kOnlineSlot{5};
inline constexpr std::chrono::seconds kOnlineKeysExpireAfter{900};
// How often the viewers with a stream of live counts are noted as online.
inline constexpr std::chrono::seconds kOnlineNoteInterval{60};
// How many viewers one call adds to sets. It takes Redis a fraction of a millisecond.
inline constexpr size_t kViewersPerCallMax = 512;

// --- Floods ---------------------------------------------------------------------------------------------------------

// The bursts, as the time in which the same amount would come at an even pace. An address may send the views of ten
// seconds at once, since some hundred people may share it. A site may get the new articles of an hour at once, so that
// a portal can begin with all its articles.
inline constexpr std::chrono::seconds kFloodBurst{10};
inline constexpr std::chrono::seconds kNewArticlesBurst{3'600};
// The number of addresses whose budgets are remembered. Each takes 16 bytes.
inline constexpr size_t kFloodAddresses = 65'536;
// The number of articles that are known not to be new without asking the store. Each takes 8 bytes.
inline constexpr size_t kKnownArticlesMax = 1 << 20;
// The defaults of --address-views-per-second and --new-articles-per-minute, and the maximum of both.
inline constexpr uint32_t kAddressViewsPerSecond = 100;
inline constexpr uint32_t kNewArticlesPerMinute = 1'000;
inline constexpr uint32_t kFloodRateMax = 1'000'000'000;

// --- Lanes ----------------------------------------------------------------------------------------------------------

inline constexpr uint32_t kLanesMax = 64;
inline constexpr size_t kLaneQueueBytesMax = 64 << 20;
inline constexpr size_t kLaneQueueBatchesMax = 65'536;
// The maximum size of a group: the batches that a lane takes from its queue together, for one journal write and one
// sync.
inline constexpr size_t kLaneGroupBytesMax = 4 << 20;
// The number of writers whose last sequence a lane remembers. The writer that was silent for the longest time is
// forgotten first.
inline constexpr size_t kWritersMax = 1'000'000;
inline constexpr std::chrono::hours kWriterForgottenAfter{24};
// An open chunk of this size is sealed immediately instead of at the next interval.
inline constexpr size_t kChunkSealBytes = 64 << 20;
// While the store is unavailable, one open chunk collects all views. At this size further views are refused.
inline constexpr size_t kChunkBytesMax = size_t{1} << 30;

// The number of earlier incarnations that a lane remembers.
inline constexpr size_t kIncarnationsKept = 1'000;
// How many batches may wait for the acknowledgement "stored", and for how long. Then they are acknowledged as
// journaled.
inline constexpr size_t kStoredWaitersMax = 65'536;
inline constexpr std::chrono::milliseconds kStoredWait{5'000};
// How often a lane maintains its journal: it writes checkpoints, prepares spare segments and deletes old ones.
inline constexpr std::chrono::milliseconds kMaintenanceInterval{250};

// --- Journal --------------------------------------------------------------------------------------------------------

inline constexpr uint64_t kJournalSegmentBytes = 64 << 20;
// The smallest segment. With a small budget a segment is a quarter of the budget.
inline constexpr uint64_t kJournalSegmentBytesMin = 16 << 20;
inline constexpr uint64_t kJournalBudgetBytesMin = 4 * kJournalSegmentBytesMin;
inline constexpr uint64_t kJournalBudgetBytes = uint64_t{8} << 30;
// How long flushed records are kept, because Redis may lose its last seconds. A failover or a restore by hand takes
// minutes.
inline constexpr std::chrono::milliseconds kJournalRetention = std::chrono::minutes(10);
// The maximum size of one record. A reader's buffer may grow to this size.
inline constexpr size_t kJournalPayloadBytesMax = 8 << 20;
// How many bytes a reader reads from the disk in one step.
inline constexpr size_t kJournalReadBytes = 1 << 20;
// The number of empty segment files that are kept for future segments.
inline constexpr size_t kJournalSparesMax = 2;

// --- Store ----------------------------------------------------------------------------------------------------------

// The number of partitions of the store. It never changes for a data set, because an article's keys depend on it.
inline constexpr uint32_t kShards = 64;
inline constexpr uint32_t kStoreFormatVersion = 1;
inline constexpr uint64_t kCountMax = uint64_t{1} << 53;
inline constexpr uint32_t kRankedAllTimeAndDay = 256;
inline constexpr uint32_t kRankedHour = 64;
inline constexpr std::chrono::hours kHourKeysExpireAfter{8 * 24};
inline constexpr size_t kFlushPartArticlesMax = 384;
// The maximum number of fields that one part writes over all its hashes. It keeps each call to Redis below a few
// milliseconds. A single article with more fields (an import over many hours) still goes in one part.
inline constexpr size_t kFlushPartFieldsMax = 2'048;
inline constexpr size_t kFlushPartsInFlightMax = 4;
// How often an idle flusher checks that the store is still in the state in which the flusher left it.
inline constexpr std::chrono::milliseconds kStoreCheckInterval{10'000};
inline constexpr std::chrono::milliseconds kStoreCommandTimeout{5'000};
inline constexpr std::chrono::milliseconds kStoreConnectTimeout{2'000};
inline constexpr std::chrono::milliseconds kStoreReconnectDelayMin{20};
inline constexpr std::chrono::milliseconds kStoreReconnectDelayMax{1'000};
// The maximum number of commands that wait for the answers of one connection. Further calls wait until there is room.
inline constexpr size_t kStorePendingCommandsMax = 10'000;
// The maximum number of calls that wait for such room. Further calls fail immediately.
inline constexpr size_t kStoreWaitingCallsMax = 10'000;

// --- Audit of the store ---------------------------------------------------------------------------------------------

// The number of keys or fields that one call examines. It takes Redis less than a millisecond.
inline constexpr size_t kAuditStep = 1'000;
// How often a hash that changed during its check is checked before the audit reports it as busy.
inline constexpr int kAuditAttemptsMax = 5;
// How often one call restores a shard that a script left torn, and repeats the operation that found it torn.
inline constexpr int kRestoreAttemptsMax = 5;
// The maximum number of differences that are described in words. Further ones are only counted.
inline constexpr size_t kAuditDifferencesMax = 100;

// --- Embedded Redis -------------------------------------------------------------------------------------------------

// How long to wait for the end of a server that a killed process left running, for the first answer, and for a clean
// end.
inline constexpr std::chrono::milliseconds kEmbeddedLockWait{10'000};
inline constexpr std::chrono::milliseconds kEmbeddedReadyWait{10'000};
inline constexpr std::chrono::milliseconds kEmbeddedStopWait{10'000};
// A server that ends unexpectedly is restarted immediately. If it ends again before kEmbeddedStableAfter, the restart
// is delayed, twice as long each time.
inline constexpr std::chrono::milliseconds kEmbeddedRestartDelayMin{100};
inline constexpr std::chrono::milliseconds kEmbeddedRestartDelayMax{5'000};
inline constexpr std::chrono::milliseconds kEmbeddedStableAfter{10'000};
// The size is checked whenever the server is started. A larger log is moved to redis.log.1.
inline constexpr size_t kEmbeddedLogBytesMax = 10 << 20;

// --- HTTP -----------------------------------------------------------------------------------------------------------

inline constexpr size_t kHttpHeaderBytesMax = 16 << 10;
inline constexpr size_t kHttpBodyBytesMax = 64 << 10;
// The maximum number of connections to the admin address.
inline constexpr size_t kHttpConnectionsMax = 1'024;
// The maximum number of connections to the public address. Each reader of live counts keeps one open.
inline constexpr size_t kPublicConnectionsMax = 16'000;
// The maximum from one address that is not a proxy. Some hundred people may share it behind one router.
inline constexpr size_t kPublicConnectionsPerAddressMax = 512;
// How many bytes the kernel buffers for a reader of live counts that does not read. Once they are full, the reader has
// kHttpRequestTimeout.
inline constexpr int kHttpEventsSendBufferBytes = 64 << 10;
// After this time without an event a comment is sent, which shows that the connection still works.
inline constexpr std::chrono::milliseconds kHttpEventsHeartbeat{15'000};
// The maximum number of views in one request body from a browser.
inline constexpr size_t kBrowserViewsMax = 100;
// The maximum size of each text of a picture.
inline constexpr size_t kPictureTextBytesMax = 100;
// The maximum number and size of the files in --demo-dir. They are kept in memory.
inline constexpr size_t kDemoFilesMax = 1'000;
inline constexpr size_t kDemoBytesMax = 16 << 20;
// The maximum time from a request's first byte to its last. Writing the answer has the same maximum.
inline constexpr std::chrono::milliseconds kHttpRequestTimeout{10'000};
// The maximum time between two requests, and before the first one.
inline constexpr std::chrono::milliseconds kHttpIdleTimeout{60'000};
// How long a stop waits for requests that are being answered.
inline constexpr std::chrono::milliseconds kHttpDrainTimeout{5'000};
// How long the server keeps reading from a refused client, so that the client reads the refusal before the connection
// is reset.
inline constexpr std::chrono::milliseconds kHttpLingerTimeout{1'000};
inline constexpr std::chrono::milliseconds kHttpAcceptRetryDelay{100};

// --- Queries --------------------------------------------------------------------------------------------------------

inline constexpr std::chrono::milliseconds kCountCacheAge{1'000};
inline constexpr size_t kCountCacheArticlesPerShardMax = 8'192;
// How often a read is made if each time it meets a shard that is changing. Then its answer is called inexact.
inline constexpr int kReadAttemptsMax = 5;
inline constexpr std::chrono::milliseconds kRetryDelay{500};
// The maximum number of articles outside the rankings whose counts one popular list reads because of their pending
// views.
inline constexpr size_t kPopularCandidatesMax = 20'000;
// The length of popular lists that are restricted to some articles, or that have long pages.
inline constexpr size_t kDeepListMax = 4'096;
// The maximum number of places that a popular list of several windows reads from all rankings of a shard together.
// Adding up those of all shards takes some 100 MB for a moment.
inline constexpr size_t kRankedRowsMax = 8'192;
// The number of such lists that are read at the same time. Further ones wait.
inline constexpr size_t kSummedListsMax = 2;
// The number of lists that wait for that. Beyond it they are refused.
inline constexpr size_t kSummedListsWaiting = 32;

// How often watched counts are read. It is also the minimum time between two updates for a watcher.
inline constexpr std::chrono::milliseconds kWatchInterval{1'000};
// A watcher gets a message only if its last one was at least this long ago. It is shorter than kWatchInterval, because
// ticks come a little late or early.
inline constexpr std::chrono::milliseconds kWatchPause{900};
inline constexpr size_t kWatchersMax = 20'000;
// Limits for all watchers together: the number of different articles, each of which is read every second, and the sum
// of the articles that each watcher watches.
inline constexpr size_t kWatchedArticlesMax = 50'000;
inline constexpr size_t kWatchesMax = 1'000'000;
// How many new watchers have their articles read at the same time. More of them wait for their turn. After a start, all
// readers of a portal connect together while the cache is still empty.
inline constexpr size_t kWatchFirstReadsMax = 16;
// The retry delay of a watcher that is refused at these limits. It is long, because such a state lasts.
inline constexpr std::chrono::milliseconds kWatchRetryDelay{10'000};

// --- Announced articles ---------------------------------------------------------------------------------------------

inline constexpr size_t kPutArticlesMax = 1'000;
inline constexpr size_t kArticleTitleBytesMax = 1'000;
inline constexpr size_t kArticleUrlBytesMax = 2'000;
inline constexpr size_t kArticleLabelBytesMax = 200;
inline constexpr size_t kArticleLabelsMax = 32;
inline constexpr size_t kArticleLanguageBytesMax = 35;
// How long what is known about articles is used without reading it again.
inline constexpr std::chrono::seconds kArticleDetailsAge{10};
// The maximum number of articles whose details are remembered, some 50 MB. Beyond it all are forgotten.
inline constexpr size_t kArticleDetailsMax = 100'000;

// --- Adjustments ----------------------------------------------------------------------------------------------------

inline constexpr size_t kAdjustedArticlesMax = 1'000;
inline constexpr uint32_t kAdjustmentsPageMax = 1'000;
inline constexpr uint32_t kAdjustmentsPageDefault = 100;
// The maximum size of each text of an adjustment's provenance: the author and the reason.
inline constexpr size_t kProvenanceBytesMax = 1'000;
// The maximum size of one adjustment in the journal. The store keeps it as text, which is about five times as long.
inline constexpr size_t kAdjustmentBytesMax = 1 << 20;
// The maximum number of adjustments that wait for their turn. Each of them waits for some reads of the store.
inline constexpr size_t kAdjustmentsWaitingMax = 64;
// The aliases of all sites together. They are limited because every segment of every journal begins with them.
inline constexpr size_t kAliasBytesMax = 2 << 20;
// How long it may take until every lane has journaled a new alias.
inline constexpr std::chrono::milliseconds kAliasWait{5'000};
// How many counts one read fetches when it collects all counts of some articles. All counts of one article are always
// read together.
inline constexpr size_t kSurveyFieldsMax = 4'096;

// --- Stopping: together less than the 10 s that a supervisor is configured to wait ----------------------------------

inline constexpr std::chrono::milliseconds kStopWait{9'500};
inline constexpr std::chrono::milliseconds kStopCallsWait{1'500};
inline constexpr std::chrono::milliseconds kStopFlushWait{3'500};
inline constexpr std::chrono::milliseconds kStopStoreWait{1'000};
inline constexpr std::chrono::milliseconds kStopEmbeddedWait{2'000};
inline constexpr std::chrono::milliseconds kStopAdminWait{250};
// This wait happens twice: before the lanes end, and after the store is closed.
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
static_assert(kPageSizeMax <= kDeepListMax, "a first page must fit the list");
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
