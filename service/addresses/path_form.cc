#include "service/addresses/path_form.h"

#include <absl/strings/ascii.h>

#include <algorithm>

#include "service/addresses/without_case.h"
#include "service/base/check.h"

namespace viewcount {
namespace {

constexpr std::string_view kJavaSession = ";jsessionid=";

// Returns true for segments such as (S(abc)) and (A(abc)F(def)). ASP.NET keeps the session of a visitor there whose
// browser takes no cookies.
bool IsAspSession(std::string_view segment) {
  if (segment.size() < 2 || segment.front() != '(' || segment.back() != ')') return false;
  segment = segment.substr(1, segment.size() - 2);
  if (segment.empty()) return false;
  while (!segment.empty()) {
    const size_t close = segment.find(')');
    const char kind = absl::ascii_toupper(static_cast<unsigned char>(segment[0]));
    const bool begins = (kind == 'A' || kind == 'F' || kind == 'S') && segment.substr(1).starts_with('(');
    if (!begins || close == std::string_view::npos) return false;
    segment.remove_prefix(close + 1);
  }
  return true;
}

std::string_view WithoutSlashesAtEnd(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string WithoutSessions(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  while (!path.empty()) {
    // A segment with the slash before it.
    std::string_view segment = path.substr(0, path.find('/', 1));
    path.remove_prefix(segment.size());
    std::string kept;
    while (!segment.empty()) {
      const std::string_view piece = segment.substr(0, segment.find(';', 1));
      segment.remove_prefix(piece.size());
      if (!HasPrefixWithoutCase(piece, kJavaSession)) kept += piece;
    }
    if (!IsAspSession(std::string_view(kept).substr(kept.starts_with('/') ? 1 : 0))) out += kept;
  }
  if (out.empty()) out = "/";
  return out;
}

std::string WithoutDotSegments(std::string_view path) {
  VIEWCOUNT_CHECK(path.starts_with('/'));
  if (path.find("/.") == std::string_view::npos) return std::string(path);
  std::string out;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/', 1));
    path.remove_prefix(segment.size());
    const bool up = segment == "/..";
    if (up) out.resize(out.empty() ? 0 : out.rfind('/'));
    if (up || segment == "/.") {
      // A dot segment at the end names the folder itself.
      if (path.empty()) out += '/';
    } else {
      out += segment;
    }
  }
  return out;
}

std::string WithoutRepeatedSlashes(std::string_view path) {
  std::string out(path);
  const auto repeated = std::ranges::unique(out, [](char a, char b) { return a == '/' && b == '/'; });
  out.erase(repeated.begin(), repeated.end());
  return out;
}

std::string_view WithoutIndex(std::string_view path, std::span<const std::string> index_names, bool strip_slash) {
  for (;;) {
    if (strip_slash) path = path.substr(0, std::max<size_t>(WithoutSlashesAtEnd(path).size(), 1));
    const size_t begin = path.rfind('/') + 1;
    const std::string_view last = path.substr(begin);
    if (std::ranges::none_of(index_names, [&](const std::string& name) { return EqualWithoutCase(name, last); })) {
      return path;
    }
    path = path.substr(0, begin);
  }
}

std::string ExtensionOf(std::string_view path) {
  std::string_view last = path.substr(path.rfind('/') + 1);
  last = last.substr(0, last.find(';'));
  const size_t dot = last.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view extension = last.substr(dot + 1);
  return absl::AsciiStrToLower({extension.data(), extension.size()});
}

bool MatchesPath(std::string_view pattern, std::string_view given) {
  pattern = WithoutSlashesAtEnd(pattern);
  std::string path(WithoutSlashesAtEnd(given));
  // A pattern such as /a/* is for the folder, too.
  if (pattern.ends_with('*')) path += '/';
  // The places behind the last star, from where the match is tried again one character later.
  size_t star = std::string_view::npos;
  size_t retry = 0;
  size_t in_pattern = 0;
  size_t in_path = 0;
  while (in_path < path.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = ++in_pattern;
      retry = in_path;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == path[in_path]) {
      ++in_pattern;
      ++in_path;
    } else if (star != std::string_view::npos) {
      in_pattern = star;
      in_path = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

}  // namespace viewcount
