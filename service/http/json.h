// Messages as JSON, in proto3's mapping.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// INVALID_ARGUMENT says where and why `json` is no such message; a field that it does not know is an error.
absl::Status FromJson(std::string_view json, google::protobuf::Message& message);

// An answer with `message`, fields with default values included; not to be cached.
HttpResponse JsonResponse(const google::protobuf::Message& message);

}  // namespace viewcount
