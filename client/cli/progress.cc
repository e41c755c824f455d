#include "client/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "client/cli/output.h"
#include "service/base/text.h"

namespace viewcount::cli {

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1), started_(std::chrono::steady_clock::now()) {}

void Progress::Show(const std::function<std::string()>& text) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || (visible_ && now - shown_ < std::chrono::milliseconds(200))) return;
  shown_ = now;
  visible_ = true;
  // The escape sequence returns to the beginning of the line and clears it to its end.
  fmt::print(stderr, "\r\x1b[K{}", text());
  std::fflush(stderr);
}

void Progress::Show(const std::string& file, const ImportCounts& counts, const ByteSource& source) {
  Show([&] {
    const double seconds = std::chrono::duration<double>(shown_ - started_).count();
    std::string percent;
    if (source.file_size() > 0) percent = fmt::format("{} %, ", source.file_position() * 100 / source.file_size());
    return fmt::format("{}: {}{} lines, {} views, {} views/s", OneLine(file), percent, Grouped(counts.lines),
                       Grouped(counts.views),
                       Grouped(static_cast<uint64_t>(static_cast<double>(counts.views) / (seconds + 1e-3))));
  });
}

void Progress::Clear() {
  if (visible_) fmt::print(stderr, "\r\x1b[K");
  visible_ = false;
}

}  // namespace viewcount::cli
