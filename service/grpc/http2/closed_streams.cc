#include "service/grpc/http2/closed_streams.h"

#include <algorithm>

#include "service/base/limits.h"

namespace viewcount {

void ClosedStreams::ResetByUs(int32_t stream) {
  if (!reset_.insert(stream).second) return;
  reset_order_.push_back(stream);
  if (reset_order_.size() <= size_t{limits::kGrpcStreamsPerConnectionMax}) return;
  reset_.erase(reset_order_.front());
  reset_order_.pop_front();
}

void ClosedStreams::Closed(int32_t stream, bool by_peer) {
  recent_[next_recent_] = {stream, by_peer};
  next_recent_ = (next_recent_ + 1) % kRecentMax;
}

ClosedStreams::Kind ClosedStreams::Find(int32_t stream) const {
  if (stream > last_begun_) return Kind::kNew;
  if (reset_.contains(stream)) return Kind::kResetByUs;
  const auto found = std::ranges::find(recent_, stream, &Recent::stream);
  if (found == recent_.end()) return Kind::kUnknown;
  return found->by_peer ? Kind::kResetByPeer : Kind::kEnded;
}

}  // namespace viewcount
