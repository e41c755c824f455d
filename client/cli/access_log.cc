#include "client/cli/access_log.h"

#include <absl/strings/str_cat.h>
#include <sodium/crypto_generichash.h>

#include <algorithm>
#include <array>
#include <optional>

#include "client/cli/log_client.h"
#include "client/cli/log_prefix.h"
#include "client/cli/log_text.h"
#include "service/base/hash.h"
#include "service/base/little_endian.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// The limit of the comments that are kept until a line was understood. IIS writes some hundred bytes of them.
constexpr size_t kCommentsBytesMax = 16 << 10;

AccessLogLine BadLineOf(std::string problem) { return {.kind = LineKind::kBad, .problem = std::move(problem)}; }

AccessLogLine LineOf(LineKind kind) { return {.kind = kind}; }

bool IsPageStatus(int status) {
  return status == 304 || (status >= 200 && status <= 299 && status != 204 && status != 205 && status != 206);
}

// Returns true for a path, or a URL with http or https. Any other target, such as `*`, names no page.
bool IsPageTarget(std::string_view target) {
  if (!target.empty() && target[0] == '/') return true;
  return EqualsIgnoringCase(target.substr(0, 7), "http://") || EqualsIgnoringCase(target.substr(0, 8), "https://");
}

// Returns the hash of a client and an agent, never 0. The client is the 16 bytes of an address, or a host's name, which
// a NUL ends.
uint64_t HashOfViewer(std::string_view client, std::string_view agent, const ViewerSalt& salt) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, salt.bytes.data(), salt.bytes.size(), crypto_generichash_BYTES_MIN);
  for (const std::string_view part : {client, std::string_view("\0", 1), agent}) {
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  }
  std::array<unsigned char, crypto_generichash_BYTES_MIN> hash;
  crypto_generichash_final(&state, hash.data(), hash.size());
  return std::max<uint64_t>(little_endian::Load<uint64_t>(hash.data()), 1);
}

// Returns true for the addresses of private networks, of this machine, and of carriers' networks.
bool IsPrivate(const boost::asio::ip::address& address) {
  static const std::vector<std::string> kPrivate = {"10.0.0.0/8",  "172.16.0.0/12",  "192.168.0.0/16",
                                                    "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
                                                    "fc00::/7",    "fe80::/10",      "::1"};
  static const AddressRanges kRanges = *AddressRanges::Parse(kPrivate);
  return kRanges.Contains(address);
}

}  // namespace

std::string HostName(std::string_view host) {
  if (!host.empty() && host[0] != '[') host = host.substr(0, host.rfind(':'));
  std::string name(host);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return name;
}

ViewerSalt SaltOfLog(std::string_view site, std::string_view first_line) {
  // The site's hash is the key. A joined text of both could be split in two ways, so two inputs could share a hash.
  std::array<unsigned char, crypto_generichash_KEYBYTES_MIN> key{};
  little_endian::Store(key.data(), Hash64(site));
  ViewerSalt salt;
  crypto_generichash(salt.bytes.data(), salt.bytes.size(), reinterpret_cast<const unsigned char*>(first_line.data()),
                     first_line.size(), key.data(), key.size());
  return salt;
}

AccessLogParser::AccessLogParser(const FormatOptions& options, const LogRules& rules, const BotPatterns& patterns,
                                 const ViewerSalt& salt)
    : options_(options), rules_(rules), salt_(salt), bots_(patterns) {}

absl::StatusOr<std::unique_ptr<AccessLogParser>> AccessLogParser::Make(const FormatOptions& options,
                                                                       std::string_view head, const LogRules& rules,
                                                                       const BotPatterns& patterns,
                                                                       const ViewerSalt& salt) {
  auto format = MakeAccessLogFormat(options, head);
  if (!format.ok()) return format.status();
  std::unique_ptr<AccessLogParser> parser(new AccessLogParser(options, rules, patterns, salt));
  parser->format_ = *std::move(format);
  return parser;
}

std::string_view AccessLogParser::ParseRequest(std::string_view line) {
  if (format_ == nullptr) {
    // The options were valid for an empty log. A line can only add an unsuitable client field.
    auto format = MakeAccessLogFormat(options_, absl::StrCat(comments_, ToAbsl(line)));
    if (!format.ok()) return "its format lacks the field of --client-field";
    if (*format == nullptr) return "no known format; name it with --format";
    format_ = *std::move(format);
    std::string_view rest = comments_;
    while (!rest.empty()) format_->Comment(TakeUntil(rest, '\n'));
  }
  request_.Clear();
  return format_->Parse(line, request_);
}

void AccessLogParser::TakeComment(std::string_view line) {
  if (format_ != nullptr) return format_->Comment(line);
  if (comments_.size() + line.size() > kCommentsBytesMax) comments_.clear();
  comments_.append(line.substr(0, kCommentsBytesMax)).append("\n");
}

void AccessLogParser::Skip(std::string_view line) {
  line = Trim(WithoutPrefixes(Trim(line)));
  if (!line.empty() && line[0] == '#') TakeComment(line);
}

AccessLogLine AccessLogParser::Parse(std::string_view line) {
  const auto whole = Trim(line);
  line = Trim(WithoutPrefixes(whole));
  if (line.empty()) return LineOf(LineKind::kBlank);
  if (line.find('\0') != line.npos) return BadLineOf("has NUL bytes");
  if (line[0] == '#') {
    TakeComment(line);
    return LineOf(LineKind::kBlank);
  }
  if (const auto problem = ParseRequest(line); !problem.empty()) {
    // A log_format may have at its beginning what looks like a prefix.
    if (line.size() == whole.size() || !ParseRequest(whole).empty()) return BadLineOf(std::string(problem));
  }
  return Decide();
}

AccessLogLine AccessLogParser::Decide() {
  if (!IsWantedHost()) return LineOf(LineKind::kOtherHost);
  if (request_.method != "GET" || !IsPageStatus(request_.status)) return LineOf(LineKind::kNoPage);
  if (!IsPageTarget(request_.target)) return BadLineOf("its request is for no path");
  auto article = rules_.article_rule.Name(request_.target);
  if (!article.ok()) return BadLineOf(absl::StrCat("no article: ", article.status().message()));
  if (article->is_static) return LineOf(LineKind::kNoPage);
  if (article->excluded) return LineOf(LineKind::kExcludedPath);
  AccessLogLine view;
  bool excluded = false;
  SetViewer(view, excluded);
  if (excluded) return LineOf(LineKind::kExcludedAddress);
  const auto own_verdict = rules_.agents.IsBot(request_.agent);
  view.kind = (own_verdict ? *own_verdict : bots_.IsBot(request_.agent)) ? LineKind::kBotView : LineKind::kView;
  view.article_id = std::move(article->article_id);
  view.dropped = std::move(article->dropped);
  view.event_time_unix_ms = request_.time_unix_ms;
  return view;
}

bool AccessLogParser::IsWantedHost() const {
  if (rules_.hosts.empty()) return true;
  return std::find(rules_.hosts.begin(), rules_.hosts.end(), HostName(request_.host)) != rules_.hosts.end();
}

void AccessLogParser::SetViewer(AccessLogLine& line, bool& excluded) const {
  auto address = AddressOfClient(request_.named_client);
  if (!address) address = AddressOfClient(request_.client);
  if (address) {
    excluded = rules_.excluded_addresses.Contains(*address);
    line.private_client = IsPrivate(*address);
    const AddressBytes bytes = BytesOfAddress(*address);
    const std::string_view client(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    line.viewer = HashOfViewer(client, request_.agent, salt_);
    line.client = Hash64(client);
  } else if (IsHostName(request_.client)) {
    const std::string client = HostName(request_.client);
    line.viewer = HashOfViewer(client, request_.agent, salt_);
    line.client = Hash64(client);
  }
}

}  // namespace viewcount::cli
