#include "service/grpc/http2/accepted_peers.h"

#include <algorithm>
#include <utility>

namespace viewcount {

AcceptedPeers::Ticket::~Ticket() {
  const MutexLock lock(peers_.mutex_);
  if (silent_) peers_.silent_.erase(place_);
  peers_.SetOpen(peers_.open_ - 1);
  const auto found = peers_.by_address_.find(address_);
  if (--found->second == 0) peers_.by_address_.erase(found);
}

void AcceptedPeers::Ticket::Greeted() {
  const MutexLock lock(peers_.mutex_);
  if (std::exchange(silent_, false)) peers_.silent_.erase(place_);
}

AcceptedPeers::Admission AcceptedPeers::Admit(std::string address, std::function<void()> close) {
  std::function<void()> displaced;
  Admission admission;
  {
    const MutexLock lock(mutex_);
    const auto found = by_address_.find(address);
    const size_t of_address = found == by_address_.end() || address.empty() ? 0 : found->second;
    const bool address_full = of_address >= limits_.connections_per_address_max;
    if (address_full || open_ >= limits_.connections_max) {
      Ticket* const oldest = OldestSilent(address_full ? &address : nullptr);
      if (oldest == nullptr) return Refuse(address_full ? Refusal::kTooManyOfAddress : Refusal::kTooMany);
      if (observer_.displaced) observer_.displaced();
      // The ticket's table is this one, which the analysis does not know.
      oldest->peers_.mutex_.AssertHeld();
      silent_.erase(oldest->place_);
      oldest->silent_ = false;
      displaced = oldest->close_;
    }
    SetOpen(open_ + 1);
    ++by_address_[address];
    admission.ticket.reset(new Ticket(*this, std::move(address), std::move(close)));
    admission.ticket->peers_.mutex_.AssertHeld();
    admission.ticket->place_ = silent_.insert(silent_.end(), admission.ticket.get());
  }
  if (displaced) displaced();
  return admission;
}

AcceptedPeers::Admission AcceptedPeers::Refuse(Refusal refusal) {
  if (observer_.refused) observer_.refused(refusal);
  return {.refusal = refusal};
}

void AcceptedPeers::SetOpen(size_t open) {
  open_ = open;
  if (observer_.open) observer_.open(open);
}

size_t AcceptedPeers::open() const {
  const MutexLock lock(mutex_);
  return open_;
}

AcceptedPeers::Ticket* AcceptedPeers::OldestSilent(const std::string* address) {
  const auto found = std::ranges::find_if(
      silent_, [&](const Ticket* ticket) { return address == nullptr || ticket->address_ == *address; });
  return found == silent_.end() ? nullptr : *found;
}

}  // namespace viewcount
