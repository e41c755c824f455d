// The error of a start that fails because of a setting.
#pragma once

#include <absl/status/status.h>
#include <fmt/format.h>

#include "service/base/status.h"

namespace viewcount {

// Returns FAILED_PRECONDITION with the flag's name before the message of `status`. Pure function; thread-safe.
inline absl::Status SettingError(const char* flag, const absl::Status& status) {
  return absl::FailedPreconditionError(fmt::format("{}: {}", flag, ToStd(status.message())));
}

}  // namespace viewcount
