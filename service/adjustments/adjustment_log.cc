#include "service/adjustments/adjustment_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;

AdjustmentLog::AdjustmentLog(const std::map<std::string, std::string>& notes) {
  for (const auto& [field, text] : notes) {
    auto adjustment = ParseAdjustmentNote(text);
    if (!adjustment.ok()) {
      spdlog::warn("adjustment \"{}\" is left out: {}", field, ToStd(adjustment.status().message()));
      continue;
    }
    const auto& message = adjustment->message;
    if (!message.undoes_adjustment_id().empty()) {
      undoes_[message.undoes_adjustment_id()].push_back(message.adjustment_id());
    }
    adjustments_.emplace(field, *std::move(adjustment));
  }
}

const Adjustment* AdjustmentLog::Find(std::string_view adjustment_id) const {
  const auto found = std::find_if(adjustments_.begin(), adjustments_.end(), [&](const auto& entry) {
    return entry.second.message.adjustment_id() == adjustment_id;
  });
  return found == adjustments_.end() ? nullptr : &found->second;
}

bool AdjustmentLog::IsUndone(const std::string& adjustment_id) const {
  // An undo names an older adjustment, so this loop ends. It is bounded anyway, because the store could hold anything.
  std::string id = adjustment_id;
  bool undone = false;
  for (size_t steps = 0; steps <= adjustments_.size(); ++steps) {
    const auto undoes = undoes_.find(id);
    if (undoes == undoes_.end()) return undone;
    // The last undo is in force unless it was undone itself. All earlier ones are undone.
    undone = !undone;
    id = undoes->second.back();
  }
  return undone;
}

asio::awaitable<absl::StatusOr<AdjustmentLog>> ReadAdjustments(CountStore& store, CountReader& counts,
                                                               const std::vector<Ledger*>& ledgers,
                                                               std::shared_ptr<const Site> site) {
  std::map<std::string, std::string> notes;
  for (const Ledger* ledger : ledgers) {
    // The later of two notes of an import replaces the earlier one.
    for (auto& note : ledger->PendingNotes(*site)) notes.insert_or_assign(std::move(note.field), std::move(note.text));
  }
  const uint64_t hash = ArticleHash(site->seed, "");
  auto stored = co_await store.ReadNotes(ShardOf(hash), site->name);
  absl::Status status = stored.status();
  if (status.ok()) {
    const std::vector<Window> windows = {{Window::Kind::kAllTime, 0}};
    const std::vector<ArticleRef> articles = {{"", hash}};
    status = (co_await counts.ReadWindows(*site, ShardOf(hash), windows, articles)).status();
  }
  if (!status.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
  }
  for (StoredNote& note : *stored) notes.emplace(std::move(note.field), std::move(note.text));
  co_return AdjustmentLog(notes);
}

}  // namespace viewcount
