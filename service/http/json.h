// Protobuf messages as JSON, in proto3's mapping.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>

#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// Parses `json` into `message`. Returns INVALID_ARGUMENT, with position and reason, if it is not such a message. An
// unknown field is an error that names the field and the nearest known one.
absl::Status FromJson(std::string_view json, google::protobuf::Message& message);

// Returns an answer that contains `message`, including fields with default values. It forbids caching.
HttpResponse JsonResponse(const google::protobuf::Message& message);

}  // namespace viewcount
