// Makes the single formats. Only log_format.cc uses these functions; see there for the choice among them.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string_view>

#include "client/cli/log_format.h"

namespace viewcount::cli {

// The formats that Apache and nginx write by default, with what a site has added at the end:
//   [HOST] ADDRESS IDENT USER [17/May/2015:10:05:03 +0000] "METHOD TARGET HTTP/1.1" STATUS BYTES ["REFERER" "AGENT" …]
// One parser reads lines with and without referer and agent. A vhost format begins with the virtual host.
enum class NcsaKind { kCommon, kCombined, kVhost };
// With `address_required`, a line whose client is no address is bad. Detection needs it, because a vhost line may look
// like a combined line of a client with a host name.
std::unique_ptr<AccessLogFormat> MakeNcsaFormat(NcsaKind kind, bool last_field_is_client, bool address_required);

// W3C extended log files, whose lines with #Fields name the columns. IIS separates columns by blanks and writes + for a
// blank. CloudFront separates them by tabs and encodes agents once or twice by percent.
enum class W3cKind { kIis, kCloudFront };
std::unique_ptr<AccessLogFormat> MakeW3cFormat(W3cKind kind, std::string_view client_field);

// One JSON object in each line: Caddy's, or one with names of nginx variables as keys.
enum class JsonKind { kCaddy, kNginx };
std::unique_ptr<AccessLogFormat> MakeJsonFormat(JsonKind kind, std::string_view client_field);

// Logs of AWS' application load balancer.
std::unique_ptr<AccessLogFormat> MakeAlbFormat();

// A log_format string of nginx, such as `$remote_addr [$time_local] "$request" $status`. Returns INVALID_ARGUMENT that
// names what is missing or not unique.
absl::StatusOr<std::unique_ptr<AccessLogFormat>> MakeTemplateFormat(std::string_view log_format,
                                                                    std::string_view client_field);

}  // namespace viewcount::cli
