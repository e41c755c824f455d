#include "service/adjustments/alias_setter.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

// The pause between two checks of the lanes, each of which has to sync its journal.
constexpr std::chrono::milliseconds kPause{1};

}  // namespace

bool AliasSetter::IsInEveryLane(SiteIndex site, const std::string& from, const Alias& alias) const {
  return std::all_of(ledgers_.begin(), ledgers_.end(), [&](const Ledger* ledger) {
    const auto settings = ledger->FindSite(site);
    if (settings == nullptr || settings->aliases == nullptr) return false;
    const auto known = settings->aliases->entries().find(from);
    return known != settings->aliases->entries().end() && known->second.unix_ms >= alias.unix_ms;
  });
}

asio::awaitable<absl::Status> AliasSetter::Set(const std::string& site, const std::string& from, Alias alias) {
  const AliasEntries added = {{from, alias}};
  size_t bytes = BytesOf(added);
  for (const auto& other : sites_.All()) bytes += BytesOf(other->alias_entries());
  if (bytes > limits::kAliasBytesMax) {
    co_return absl::ResourceExhaustedError("there are as many aliases as one data set may have (2 MiB of IDs)");
  }
  if (auto status = co_await store_.WriteAliases(site, added); !status.ok()) {
    co_return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
  }
  Site changed = *sites_.Find(site);
  changed.SetAliases(added);
  const SiteIndex index = changed.index;
  if (auto put = sites_.Put(std::move(changed)); !put.ok()) co_return put.status();
  asio::steady_timer pause(co_await asio::this_coro::executor);
  const auto deadline = steady_clock::now() + limits::kAliasWait;
  while (!IsInEveryLane(index, from, alias)) {
    if (steady_clock::now() >= deadline) {
      co_return RetryLater(absl::StatusCode::kUnavailable, "a journal has no room for the alias yet; repeat the call",
                           limits::kRetryDelay);
    }
    pause.expires_after(kPause);
    boost::system::error_code ignored;
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return absl::OkStatus();
}

}  // namespace viewcount
