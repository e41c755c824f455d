// Adds counts from elsewhere to a site, however many there are, each once.
//
// An import is a writer, as docs/PROTOCOL.md has it. Its rows have numbers, and row n is sequence n + 1 of the writer.
// Each message becomes one adjustment, which carries its sequences into the journal. The lane takes a sequence once and
// remembers it with the same record. So a crash at any moment leaves rows either counted and remembered, or neither.
// docs/decisions/imports-of-counts-are-writers.md has the alternatives.
//
// The store keeps one note for the whole import. The first sequence writes it, and the last sequence replaces it when
// all rows are counted.
//
// Other instances have no sequences of the import, and see the note only after a flush. So the store also has a claim
// of each import (KEYS.md). It is written before the first sequence is journaled, in one atomic step, and names the
// lane.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "service/adjustments/adjuster.h"
#include "service/adjustments/adjustment_log.h"
#include "service/base/clock.h"
#include "service/lane/ledger.h"
#include "service/model/window.h"
#include "service/query/count_export.h"
#include "service/query/count_reader.h"
#include "service/query/site_total_reader.h"
#include "service/sites/site_directory.h"
#include "service/store/count_store.h"
#include "service/store/import_store.h"
#include "viewcount/v1/transfer.pb.h"

namespace viewcount {

// Begins imports, and ends them when the service stops. Used on the store's executor, except for Stop. Everything that
// `parts` refers to must outlive it, and it must outlive its imports.
class CountImporter {
 public:
  struct Dependencies {
    SiteDirectory& sites;
    CountStore& store;
    CountReader& counts;
    Adjuster& adjuster;
    SiteTotalReader& totals;
    ImportStore& imports;
    // The number of lanes that take views. Their ledgers are the first ones.
    size_t lanes = 0;
    std::vector<Ledger*> ledgers;
    FlushFunction flush;
    const Clock& clock;
  };
  explicit CountImporter(Dependencies parts) : parts_(std::move(parts)) {}

  class Import;
  // Begins an import, or finds out how far it came. Errors: those of ImportCounts in admin.proto.
  boost::asio::awaitable<absl::StatusOr<std::unique_ptr<Import>>> Begin(v1::ImportHeader header);

  // Lets all further calls of Take fail. Thread-safe.
  void Stop() { stopped_ = true; }

 private:
  Dependencies parts_;
  // The number of open imports. An import that never ended may outlive this object.
  const std::shared_ptr<size_t> open_ = std::make_shared<size_t>(0);
  std::atomic<bool> stopped_ = false;
  // The writers of imports that are being taken back since this process began. No rows are added to them any more.
  std::set<std::string> taken_back_;
};

// One call of an import. Not thread-safe.
class CountImporter::Import {
 public:
  ~Import() { --*open_; }
  Import(const Import&) = delete;
  Import& operator=(const Import&) = delete;

  // Adds the rows of a message that were not imported before, and returns when they are on disk. Errors: those of
  // ImportCounts in admin.proto.
  boost::asio::awaitable<absl::Status> Take(const v1::ImportCountsRequest& request);
  // Returns what the import has reached.
  const v1::ImportCountsResponse& response() const { return response_; }

 private:
  friend class CountImporter;
  // The days and hours that the site keeps. Later ones are refused, and earlier ones are left out.
  struct Kept {
    uint32_t first_day = 0;
    uint32_t last_day = 0;
    uint32_t first_hour = 0;
    uint32_t last_hour = 0;
  };

  Import(CountImporter& owner, v1::ImportHeader header);

  // Finds out how far the import came. Journals its first note if it is new.
  boost::asio::awaitable<absl::Status> Start();
  // Returns the last sequence of a writer, or nothing if the writer is not known.
  boost::asio::awaitable<absl::StatusOr<std::optional<uint64_t>>> LastSequence(std::string writer_id);
  // Reads the log of a site, and finds out how far the import came.
  boost::asio::awaitable<absl::StatusOr<AdjustmentLog>> Locate(std::shared_ptr<const Site> site);
  // Claims an import for its writer's lane, or checks the claim that is there. `last` is the writer's last sequence.
  // Sets the time of the note if it is 0.
  boost::asio::awaitable<absl::Status> Claim(std::shared_ptr<const Site> site, std::string writer_id, uint64_t last,
                                             int64_t& note_unix_ms);
  // Ends an import that is not complete, before its rows are taken back.
  boost::asio::awaitable<absl::Status> CloseUndone(std::shared_ptr<const Site> site);
  // Begins or continues an import that is not complete.
  boost::asio::awaitable<absl::Status> Continue(std::shared_ptr<const Site> site);
  absl::Status CheckSite(const Site& site) const;
  // Checks whether the import that a note describes is this one.
  absl::Status CheckNote(const AdjustmentLog& log, const journal::v1::Adjustment& note) const;
  // Checks whether an import is there that can be taken back, and finds out how many of its rows are counted.
  boost::asio::awaitable<absl::Status> CheckUndo(const AdjustmentLog& log);
  // Lets no more rows be added to an import that is being taken back.
  absl::Status Admit() const;
  // Checks whether the counts would stay far enough below 2^53 with this message.
  boost::asio::awaitable<absl::Status> CheckSums(std::shared_ptr<const Site> site,
                                                 const journal::v1::Adjustment& message);
  boost::asio::awaitable<absl::Status> CheckSums(std::shared_ptr<const Site> site, std::map<Window, int64_t> added);
  absl::Status CheckRow(const Kept& kept, size_t place, const v1::CountRow& row) const;
  Kept KeptNow(const Site& site) const;
  // Returns the changes that the row makes. Counts those that are left out.
  journal::v1::ArticleChange ChangesOf(const Kept& kept, const v1::CountRow& row, v1::ImportCountsResponse& left) const;
  // Waits until the lane has room for more.
  boost::asio::awaitable<absl::Status> WaitForRoom() const;
  // Journals the note that the import began, or that it is complete.
  boost::asio::awaitable<absl::Status> JournalNote(bool complete);
  // Journals the rows of a message from `at` on.
  boost::asio::awaitable<absl::Status> JournalRows(const v1::ImportCountsRequest& request, uint64_t at);
  const Ledger& LedgerOf(const std::string& writer_id) const;
  uint64_t imported_rows() const { return last_ == 0 ? 0 : std::min(last_ - 1, header_.rows()); }

  CountImporter& owner_;
  const std::shared_ptr<size_t> open_;
  const v1::ImportHeader header_;
  // The writer of the rows, and of those of the import that is taken back. These bytes are the adjustments' IDs as
  // well.
  const std::string writer_id_;
  const std::string undone_id_;
  // The last sequence that the lane took.
  uint64_t last_ = 0;
  // The time of the note; 0 if it is not known yet.
  int64_t note_unix_ms_ = 0;
  // The number of rows of the import that is taken back. Rows after them were never counted.
  uint64_t undone_rows_ = 0;
  int64_t undone_unix_ms_ = 0;
  // Upper limits of the site's counts, by window, as far as this call has added to them.
  std::map<Window, int64_t> present_;
  v1::ImportCountsResponse response_;
};

}  // namespace viewcount
