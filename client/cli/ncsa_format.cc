// The common, combined and vhost formats.
#include <algorithm>
#include <optional>

#include "client/cli/log_client.h"
#include "client/cli/log_formats.h"
#include "client/cli/log_text.h"
#include "client/cli/log_time.h"

namespace viewcount::cli {
namespace {

// Removes the client from the front of `rest`: a word, or a list of words that end with commas.
std::string_view TakeClient(std::string_view& rest) {
  const auto from = rest;
  std::string_view word;
  do {
    word = TakeUntil(rest, ' ');
  } while (!word.empty() && word.back() == ',');
  return from.substr(0, static_cast<size_t>(word.data() + word.size() - from.data()));
}

// Returns the offset at which `[dd/Mon/yyyy:hh:mm:ss +zzzz] "` begins, or npos. The time is found by its shape because
// a user's name may contain spaces and brackets.
size_t FindTime(std::string_view text) {
  for (size_t at = text.find('['); at != text.npos; at = text.find('[', at + 1)) {
    const size_t close = at + 1 + kLogTimeSize;
    if (text.size() > close + 2 && text[close] == ']' && text[close + 1] == ' ' && text[close + 2] == '"') return at;
  }
  return text.npos;
}

// Returns the last quoted field of the fields that a site has added at the end, or the last word if none is quoted.
std::string_view LastField(std::string_view rest) {
  std::string_view quoted, word;
  while (!rest.empty()) {
    if (const auto field = TakeQuoted(rest)) {
      quoted = *field;
    } else if (const auto next = TakeUntil(rest, ' '); !next.empty()) {
      word = next;
    }
  }
  return quoted.empty() ? word : quoted;
}

class NcsaFormat : public AccessLogFormat {
 public:
  NcsaFormat(NcsaKind kind, bool last_field_is_client, bool address_required)
      : kind_(kind), last_field_is_client_(last_field_is_client), address_required_(address_required) {}

  std::string_view name() const override {
    return kind_ == NcsaKind::kCommon ? "common" : kind_ == NcsaKind::kCombined ? "combined" : "vhost";
  }

  std::string_view Parse(std::string_view line, LogRequest& request) override {
    auto rest = line;
    if (kind_ == NcsaKind::kVhost) request.host = TakeUntil(rest, ' ');
    // A list of addresses at the beginning of a combined line is no host.
    if (!request.host.empty() && request.host.back() == ',') return "no virtual host at its beginning";
    request.client = TakeClient(rest);
    const size_t time = FindTime(rest);
    if (request.client.empty() || time == rest.npos) return "no address and time at its beginning";
    if (address_required_ && !AddressOfClient(request.client)) return "no address at its beginning";
    // The ident and the user come before the time. Each is at least "-".
    if (time < 4 || rest.substr(0, time).find(' ') >= time - 1) return "no ident and user before the time";
    const auto at = ParseLogTime(rest.substr(time + 1, kLogTimeSize));
    rest.remove_prefix(time + kLogTimeSize + 3);
    const auto line_of_request = TakeQuoted(rest);
    if (!line_of_request) return "no end of the quoted request";
    request.status = StatusOf(TakeUntil(rest, ' '));
    if (request.status == 0) return "no status of three digits";
    const auto bytes = TakeUntil(rest, ' ');
    if (bytes != "-" && !IsDecimalNumber(bytes)) return "no number of bytes";
    if (!at) return "its time is impossible";
    request.time_unix_ms = *at;
    SplitRequestLine(*line_of_request, request.method, request.target);
    return ParseEnd(rest, request);
  }

 private:
  // Parses what follows the common format. Fields that a site has added at the end are ignored, apart from the client.
  std::string_view ParseEnd(std::string_view rest, LogRequest& request) const {
    if (!rest.empty() && rest[0] == '"') {
      if (!TakeQuoted(rest)) return "no quoted referer";
      const auto agent = TakeQuoted(rest);
      if (!agent) return "no quoted user agent";
      if (*agent != "-") Unescape(*agent, request.agent);
    }
    if (last_field_is_client_) Unescape(LastField(rest), request.named_client);
    return {};
  }

  const NcsaKind kind_;
  const bool last_field_is_client_;
  const bool address_required_;
};

}  // namespace

std::unique_ptr<AccessLogFormat> MakeNcsaFormat(NcsaKind kind, bool last_field_is_client, bool address_required) {
  return std::make_unique<NcsaFormat>(kind, last_field_is_client, address_required);
}

}  // namespace viewcount::cli
