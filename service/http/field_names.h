// Translates the names of gRPC's fields in errors into those that HTTP has.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string>
#include <string_view>

namespace viewcount {

// Returns the name that a field of Protobuf has in JSON, such as views[0].articleId for views[0].article_id. Pure
// function; thread-safe.
std::string JsonNameOf(std::string_view field);

// Returns the error for a caller over HTTP. If it names a field, the name becomes that of the query's parameter or of
// the JSON field from which it was read. `parameters` are the names of the parameters that the route takes. Pure
// function; thread-safe.
absl::Status WithHttpNames(const absl::Status& error, std::span<const std::string_view> parameters);

}  // namespace viewcount
