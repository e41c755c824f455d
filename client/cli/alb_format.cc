// Logs of AWS' application load balancer:
//   TYPE TIME BALANCER CLIENT:PORT TARGET:PORT TIME TIME TIME STATUS STATUS BYTES BYTES "METHOD URL HTTP/1.1" "AGENT" …
#include "client/cli/log_formats.h"
#include "client/cli/log_text.h"
#include "client/cli/log_time.h"

namespace viewcount::cli {
namespace {

class AlbFormat : public AccessLogFormat {
 public:
  std::string_view name() const override { return "alb"; }

  std::string_view Parse(std::string_view line, LogRequest& request) override {
    auto rest = line;
    const auto type = TakeUntil(rest, ' ');
    if (type != "http" && type != "https" && type != "h2" && type != "grpcs" && type != "ws" && type != "wss") {
      return "no type of request such as https at its beginning";
    }
    const auto time = ParseIsoTime(TakeUntil(rest, ' '));
    if (!time) return "its time is impossible";
    request.time_unix_ms = *time;
    TakeUntil(rest, ' ');
    request.client = TakeUntil(rest, ' ');
    for (int skipped = 0; skipped < 4; ++skipped) TakeUntil(rest, ' ');
    const auto status = TakeUntil(rest, ' ');
    request.status = StatusOf(status);
    if (request.status == 0 && status != "-") return "no status of three digits";
    for (int skipped = 0; skipped < 3; ++skipped) TakeUntil(rest, ' ');
    const auto line_of_request = TakeQuoted(rest);
    const auto agent = TakeQuoted(rest);
    if (!line_of_request || !agent) return "no quoted request and user agent";
    SplitRequestLine(*line_of_request, request.method, request.target);
    if (*agent != "-") Unescape(*agent, request.agent);
    request.host = HostOf(request.target);
    return {};
  }

 private:
  // Returns the host of a URL.
  static std::string_view HostOf(std::string_view url) {
    const size_t scheme = url.find("://");
    if (scheme == url.npos) return {};
    const auto rest = url.substr(scheme + 3);
    return rest.substr(0, rest.find_first_of("/?#"));
  }
};

}  // namespace

std::unique_ptr<AccessLogFormat> MakeAlbFormat() { return std::make_unique<AlbFormat>(); }

}  // namespace viewcount::cli
