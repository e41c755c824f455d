#include "client/cli/log_prefix.h"

#include <algorithm>
#include <array>

#include "client/cli/log_text.h"
#include "service/base/address_ranges.h"

namespace viewcount::cli {
namespace {

constexpr std::array<std::string_view, 12> kPrefixMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Returns true if `text` has the form of `pattern`, where 0 stands for any digit.
bool HasShape(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return false;
  return std::equal(pattern.begin(), pattern.end(), text.begin(),
                    [](char p, char c) { return p == '0' ? IsDecimal(c) : p == c; });
}

bool IsNameCharacter(char c) {
  return IsDecimal(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_' || c == '.';
}

// Each of the functions below removes one prefix from the front of `line`. They return false, and change nothing, if
// the line does not begin with their prefix.

// `web-1  | `, perhaps in colours.
bool TakeCompose(std::string_view& line) {
  auto rest = line;
  const auto skip_colour = [&rest] {
    if (rest.substr(0, 2) != "\x1b[") return;
    rest.remove_prefix(std::min(rest.find('m'), rest.size() - 1) + 1);
  };
  skip_colour();
  const size_t name = static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), IsNameCharacter) - rest.begin());
  if (name == 0 || ParseAddress(rest.substr(0, name))) return false;
  rest.remove_prefix(name);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (rest.empty() || rest[0] != '|') return false;
  rest.remove_prefix(1);
  skip_colour();
  if (!rest.empty() && rest[0] == ' ') rest.remove_prefix(1);
  skip_colour();
  line = rest;
  return true;
}

// `<190>`.
bool TakePriority(std::string_view& line) {
  const size_t end = line.substr(0, 5).find('>');
  if (line.empty() || line[0] != '<' || end == line.npos || !IsDecimalNumber(line.substr(1, end - 1))) return false;
  line.remove_prefix(end + 1);
  return true;
}

// `2026-11-20T10:00:01.123Z ` or with an offset such as +07:00.
bool TakeIsoTime(std::string_view& line) {
  if (!HasShape(line, "0000-00-00T00:00:00")) return false;
  const size_t end = line.substr(0, 40).find(' ');
  if (end == line.npos) return false;
  line.remove_prefix(end + 1);
  return true;
}

// `Nov 20 10:00:01 `, where the day may begin with a blank.
bool TakeSyslogTime(std::string_view& line) {
  if (line.size() < 16 || line[3] != ' ' || line[15] != ' ') return false;
  if (std::find(kPrefixMonths.begin(), kPrefixMonths.end(), line.substr(0, 3)) == kPrefixMonths.end()) return false;
  if ((line[4] != ' ' && !IsDecimal(line[4])) || !HasShape(line.substr(5), "0 00:00:00")) return false;
  line.remove_prefix(16);
  return true;
}

// `web1 nginx[123]: `, the host and the program.
bool TakeHostAndTag(std::string_view& line) {
  auto rest = line;
  const auto host = TakeUntil(rest, ' ');
  const auto tag = TakeUntil(rest, ' ');
  if (host.empty() || tag.size() < 2 || tag.back() != ':') return false;
  line = rest;
  return true;
}

// ` web1 nginx 123 ID47 [data] ` of RFC 5424, after the priority: version, time, host, program, process, message and
// structured data.
bool TakeSyslog5424(std::string_view& line) {
  auto rest = line;
  if (TakeUntil(rest, ' ') != "1") return false;
  if (!TakeIsoTime(rest) && TakeUntil(rest, ' ') != "-") return false;
  for (int field = 0; field < 4; ++field) {
    if (TakeUntil(rest, ' ').empty()) return false;
  }
  if (rest.empty()) return false;
  if (rest[0] == '[') {
    // Elements follow each other without a blank. A quote or a bracket within a value has a backslash before it.
    bool quoted = false;
    size_t at = 0;
    for (; at < rest.size() && (quoted || rest[at] == '[' || at == 0 || rest[at - 1] != ']' || rest[at] != ' '); ++at) {
      if (rest[at] == '\\')
        ++at;
      else if (rest[at] == '"')
        quoted = !quoted;
    }
    rest.remove_prefix(std::min(at + 1, rest.size()));
  } else if (TakeUntil(rest, ' ') != "-") {
    return false;
  }
  if (rest.substr(0, 3) == "\xEF\xBB\xBF") rest.remove_prefix(3);
  line = rest;
  return true;
}

// `stdout F `, which Kubernetes writes after the time.
bool TakeStream(std::string_view& line) {
  for (const std::string_view stream : {"stdout F ", "stderr F "}) {
    if (line.substr(0, stream.size()) != stream) continue;
    line.remove_prefix(stream.size());
    return true;
  }
  return false;
}

bool TakePrefix(std::string_view& line) {
  if (TakeCompose(line)) return true;
  auto rest = line;
  const bool priority = TakePriority(rest);
  if (priority && TakeSyslog5424(rest)) {
    line = rest;
    return true;
  }
  if (TakeSyslogTime(rest)) {
    if (!TakeHostAndTag(rest)) return false;
    line = rest;
    return true;
  }
  if (!TakeIsoTime(rest)) return false;
  if (!TakeStream(rest)) TakeHostAndTag(rest);
  line = rest;
  return true;
}

}  // namespace

std::string_view WithoutPrefixes(std::string_view line) {
  // A container's line may come through syslog, and the other way round.
  for (int prefixes = 0; prefixes < 3 && TakePrefix(line); ++prefixes) {
  }
  return line;
}

}  // namespace viewcount::cli
