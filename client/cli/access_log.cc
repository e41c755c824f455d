#include "client/cli/access_log.h"

#include <sodium/crypto_generichash.h>

#include <algorithm>
#include <array>
#include <optional>

#include "client/cli/log_time.h"
#include "service/base/hash.h"
#include "service/base/little_endian.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

constexpr std::array<std::string_view, 6> kPageExtensions = {"html", "htm", "php", "asp", "aspx", "jsp"};

// The fields of one log line as they were logged. The views point into the line.
struct Fields {
  std::string_view address;
  std::string_view time;
  std::string_view request;
  std::string_view status;
  std::string_view agent;
};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool IsNumber(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit); }

// Removes the next word and the one space after it from the front of `rest`, and returns the word.
std::string_view TakeWord(std::string_view& rest) {
  const size_t end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

// Removes a quoted field from the front of `rest` and returns its content. Servers escape a quote within the field as
// \". Returns nothing if `rest` does not begin with a complete quoted field.
std::optional<std::string_view> TakeQuoted(std::string_view& rest) {
  if (rest.empty() || rest[0] != '"') return std::nullopt;
  size_t end = 1;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  if (end >= rest.size()) return std::nullopt;
  const auto field = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  if (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
  return field;
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

// Splits a line into its fields. Returns an empty text on success, otherwise a description of the problem.
std::string_view Split(std::string_view line, Fields& fields) {
  auto rest = line;
  fields.address = TakeWord(rest);
  const size_t time = FindTime(rest);
  if (fields.address.empty() || time == rest.npos) return "no address and time at its beginning";
  // The ident and the user come before the time. Each is at least "-".
  if (time < 4 || rest.substr(0, time).find(' ') >= time - 1) return "no ident and user before the time";
  fields.time = rest.substr(time + 1, kLogTimeSize);
  rest.remove_prefix(time + kLogTimeSize + 3);
  const auto request = TakeQuoted(rest);
  if (!request) return "no end of the quoted request";
  fields.request = *request;
  fields.status = TakeWord(rest);
  if (fields.status.size() != 3 || !IsNumber(fields.status)) return "no status of three digits";
  const auto bytes = TakeWord(rest);
  if (bytes != "-" && !IsNumber(bytes)) return "no number of bytes";
  // The line is in the common format. Fields that a site has added at the end are ignored.
  if (rest.empty() || rest[0] != '"') return {};
  if (!TakeQuoted(rest)) return "no quoted referer";
  const auto agent = TakeQuoted(rest);
  if (!agent) return "no quoted user agent";
  fields.agent = *agent;
  return {};
}

bool IsPageStatus(std::string_view status) { return status[0] == '2' || status == "304"; }

// Returns the path of a target in absolute form. Returns any other target unchanged.
std::string_view OriginForm(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size() ||
        !std::equal(scheme.begin(), scheme.end(), target.begin(), [](char a, char b) { return a == Lower(b); })) {
      continue;
    }
    target.remove_prefix(scheme.size());
    const size_t path = target.find_first_of("/?#");
    if (path == target.npos || target[path] != '/') return "/";
    return target.substr(path);
  }
  return target;
}

// Returns the target of a GET request: everything between the method and the protocol. Careless clients leave spaces in
// the target.
std::string_view TargetOf(std::string_view request) {
  auto target = request.substr(4);
  const size_t protocol = target.rfind(" HTTP/");
  return protocol == target.npos ? target : target.substr(0, protocol);
}

bool IsPagePath(std::string_view path) {
  const auto segment = path.substr(path.rfind('/') + 1);
  const size_t dot = segment.rfind('.');
  if (dot == segment.npos || dot + 1 == segment.size()) return true;
  const auto extension = segment.substr(dot + 1);
  return std::any_of(kPageExtensions.begin(), kPageExtensions.end(), [&](std::string_view page) {
    return std::equal(page.begin(), page.end(), extension.begin(), extension.end(),
                      [](char a, char b) { return a == Lower(b); });
  });
}

// Returns the viewer's hash, never 0. BLAKE2b hashes the address and the agent without a copy that joins them. The
// space ends the address, because no address contains a space.
uint64_t ViewerOf(const Fields& fields, const ViewerSalt& salt) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, salt.bytes.data(), salt.bytes.size(), crypto_generichash_BYTES_MIN);
  for (const std::string_view part : {fields.address, std::string_view(" "), fields.agent}) {
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  }
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash;
  crypto_generichash_final(&state, hash.data(), hash.size());
  return std::max<uint64_t>(little_endian::Load<uint64_t>(hash.data()), 1);
}

AccessLogLine Bad(std::string_view problem) {
  AccessLogLine line;
  line.problem = problem;
  return line;
}

AccessLogLine Of(LineKind kind) {
  AccessLogLine line;
  line.kind = kind;
  return line;
}

}  // namespace

ViewerSalt SaltOfLog(std::string_view site, std::string_view head) {
  // The site's hash is the key. A joined text of site and head could be split in two ways, so two inputs could share a
  // hash.
  std::array<unsigned char, crypto_generichash_KEYBYTES_MIN> key{};
  little_endian::Store(key.data(), Hash64(site));
  ViewerSalt salt;
  crypto_generichash(salt.bytes.data(), salt.bytes.size(), reinterpret_cast<const unsigned char*>(head.data()),
                     head.size(), key.data(), key.size());
  return salt;
}

AccessLogLine ParseAccessLogLine(std::string_view line, const ViewerSalt& salt) {
  while (!line.empty() && IsSpace(line.back())) line.remove_suffix(1);
  if (line.empty()) return Of(LineKind::kBlank);
  if (line.find('\0') != line.npos) return Bad("has NUL bytes");
  Fields fields;
  if (const auto problem = Split(line, fields); !problem.empty()) return Bad(problem);
  const auto time = ParseLogTime(fields.time);
  if (!time) return Bad("its time is impossible");
  if (fields.request.substr(0, 4) != "GET " || !IsPageStatus(fields.status)) return Of(LineKind::kOther);

  auto path = OriginForm(TargetOf(fields.request));
  path = path.substr(0, path.find_first_of("?#"));
  if (path.empty() || path[0] != '/') return Bad("its request is for no path");
  if (!IsPagePath(path)) return Of(LineKind::kOther);
  if (path.size() > limits::kArticleIdBytesMax) return Bad("its path is longer than 512 bytes");
  if (!IsUtf8(path)) return Bad("its path is not UTF-8");
  if (!IsArticleId(path)) return Bad("its path has control characters");
  AccessLogLine view = Of(LineKind::kPageView);
  view.article_id = path;
  view.viewer = ViewerOf(fields, salt);
  view.event_time_unix_ms = *time;
  return view;
}

}  // namespace viewcount::cli
