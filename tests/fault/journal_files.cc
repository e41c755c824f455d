#include "tests/fault/journal_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace viewcount {
namespace {

namespace fs = std::filesystem;

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string NewestJournalFile(const std::string& data_dir, int lane) {
  std::string newest;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(data_dir + "/lanes/" + std::to_string(lane), none)) {
    const std::string name = entry.path().filename();
    // The next file may be allocated already, but holds no data yet.
    if (!name.ends_with(".journal") || EndOfData(entry.path()) == 0) continue;
    newest = std::max(newest, entry.path().string());
  }
  return newest;
}

uint64_t EndOfData(const std::string& path) { return Read(path).find_last_not_of('\0') + 1; }

void Overwrite(const std::string& path, uint64_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void FlipBit(const std::string& path, uint64_t offset, int bit) {
  Overwrite(path, offset, std::string(1, static_cast<char>(Read(path)[offset] ^ (1 << bit))));
}

}  // namespace viewcount
