#include "service/flush/flush_error.h"

#include "service/base/status.h"

namespace viewcount {

FlushError FlushErrorOf(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  if (reason == "FENCED") return FlushError::kFenced;
  if (reason == "REDIS_OOM") return FlushError::kOutOfMemory;
  if (reason == "REDIS_BUSY") return FlushError::kBusy;
  if (reason == "REDIS_LOADING") return FlushError::kLoading;
  if (reason == "REDIS_READONLY" || reason == "REDIS_MASTERDOWN") return FlushError::kReadOnly;
  if (reason == "REDIS_MISCONF") return FlushError::kMisconf;
  if (reason == "REDIS_NOREPLICAS") return FlushError::kNoReplicas;
  if (reason == "REDIS_NOPERM" || reason == "REDIS_UNKNOWN_COMMAND") return FlushError::kNoPermission;
  if (reason == "REDIS_NOAUTH" || reason == "REDIS_WRONGPASS") return FlushError::kNoPermission;
  if (reason == "REDIS_EVICTING") return FlushError::kEvicting;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return FlushError::kConnection;
    case absl::StatusCode::kDeadlineExceeded:
      return FlushError::kTimeout;
    case absl::StatusCode::kAborted:
      return FlushError::kMismatch;
    case absl::StatusCode::kDataLoss:
      return FlushError::kBadData;
    default:
      return FlushError::kOther;
  }
}

}  // namespace viewcount
