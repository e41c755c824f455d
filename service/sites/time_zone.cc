#include "service/sites/time_zone.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

namespace viewcount {
namespace {

constexpr size_t kZoneNameBytesMax = 64;

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
}

// Returns the file from which Abseil reads the zone `name`.
std::string PathOf(std::string_view name) {
  constexpr std::string_view kFilePrefix = "file:";
  if (name.starts_with(kFilePrefix)) name.remove_prefix(kFilePrefix.size());
  if (name.starts_with('/')) return std::string(name);
  const char* const folder = std::getenv("TZDIR");
  std::string path = folder != nullptr && *folder != '\0' ? folder : "/usr/share/zoneinfo";
  return path.append("/").append(name);
}

}  // namespace

bool IsZoneName(std::string_view name) {
  if (name.size() > kZoneNameBytesMax || name == "localtime" || name == "posixrules") return false;
  while (true) {
    const size_t slash = name.find('/');
    const std::string_view word = name.substr(0, slash);
    if (word.empty() || !std::ranges::all_of(word, IsWordCharacter)) return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

bool LoadZone(const std::string& name, absl::TimeZone& zone) {
  // Abseil opens any file, and opening a FIFO waits for a writer. UTC needs no file.
  struct stat file {};
  if (stat(PathOf(name).c_str(), &file) == 0 && !S_ISREG(file.st_mode)) return false;
  return absl::LoadTimeZone(name, &zone);
}

}  // namespace viewcount
