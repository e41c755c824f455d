// Fuzzes the log reader and parser with any file. The reader must return the lines of the file, none longer than the
// limit. The parser's results must lie within the line and within all limits. A page view that is written again in the
// simplest form must be parsed as the same page view.
#include <arpa/inet.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include "client/cli/access_log.h"
#include "client/cli/line_reader.h"
#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/text.h"

namespace viewcount::cli {
namespace {

constexpr size_t kExcerptMax = 100;
// Gzip can expand data a thousandfold. Lines after this number show nothing new.
constexpr uint64_t kLinesMax = 200;

bool IsPrintable(char c) { return c >= 0x20 && c < 0x7F; }

// A file in memory, which can be opened by its path. The destructor closes it. Immutable after construction.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : descriptor_(memfd_create("fuzz", MFD_CLOEXEC)) {
    VIEWCOUNT_CHECK(descriptor_ >= 0);
    VIEWCOUNT_CHECK(write(descriptor_, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  const int descriptor_;
};

// Returns true if the text contains an IPv4 address.
bool ShowsAddress(const std::string& text) {
  for (size_t begin = 0; begin < text.size(); ++begin) {
    size_t end = begin;
    while (end < text.size() && end - begin < INET_ADDRSTRLEN && (text[end] == '.' || std::isdigit(text[end]))) ++end;
    in_addr address;
    for (; end > begin; --end) {
      if (inet_pton(AF_INET, text.substr(begin, end - begin).c_str(), &address) == 1) return true;
    }
  }
  return false;
}

void CheckExcerpt(std::string_view line) {
  const std::string excerpt = SafeExcerpt(line);
  VIEWCOUNT_CHECK(excerpt.size() <= kExcerptMax && std::ranges::all_of(excerpt, IsPrintable));
  // The digits of an escaped byte may look like an address that was not in the line.
  const bool escaped = !std::ranges::all_of(line, IsPrintable) || line.find('\\') != line.npos;
  VIEWCOUNT_CHECK(escaped || !ShowsAddress(excerpt));
}

void CheckPageView(const AccessLogLine& parsed, std::string_view line) {
  VIEWCOUNT_CHECK(IsArticleId(parsed.article_id) && parsed.article_id[0] == '/');
  // The article ID is also "/" for a target in absolute form without a path.
  VIEWCOUNT_CHECK(parsed.article_id == "/" ||
                  (parsed.article_id.data() >= line.data() &&
                   parsed.article_id.data() + parsed.article_id.size() <= line.data() + line.size()));
  VIEWCOUNT_CHECK(parsed.viewer != 0);
  VIEWCOUNT_CHECK(parsed.event_time_unix_ms >= 1 && parsed.event_time_unix_ms <= limits::kEventTimeUnixMsMax);
  VIEWCOUNT_CHECK(parsed.event_time_unix_ms == 1 || parsed.event_time_unix_ms % 1'000 == 0);

  const std::time_t seconds = parsed.event_time_unix_ms / 1'000;
  std::tm time{};
  VIEWCOUNT_CHECK(gmtime_r(&seconds, &time) != nullptr);
  char text[40];
  VIEWCOUNT_CHECK(std::strftime(text, sizeof(text), "%d/%b/%Y:%H:%M:%S +0000", &time) == 26);
  const std::string plain =
      std::string("a - - [") + text + "] \"GET " + std::string(parsed.article_id) + " HTTP/1.1\" 200 -";
  const AccessLogLine again = ParseAccessLogLine(plain, ViewerSalt());
  VIEWCOUNT_CHECK(again.kind == LineKind::kPageView);
  VIEWCOUNT_CHECK(again.article_id == parsed.article_id);
  VIEWCOUNT_CHECK(again.event_time_unix_ms == parsed.event_time_unix_ms);
}

void CheckLine(std::string_view line) {
  const AccessLogLine parsed = ParseAccessLogLine(line, ViewerSalt());
  VIEWCOUNT_CHECK((parsed.kind == LineKind::kBad) == !parsed.problem.empty());
  if (parsed.kind == LineKind::kPageView) {
    CheckPageView(parsed, line);
  } else {
    VIEWCOUNT_CHECK(parsed.article_id.empty());
  }
  CheckExcerpt(line);
}

// Checks a line of a file that is not gzip: it must be the text up to the next line end.
void CheckPlainLine(const LogLine& line, std::string_view& rest) {
  VIEWCOUNT_CHECK(!rest.empty());
  const size_t end = rest.find('\n');
  const std::string_view expected = rest.substr(0, end);
  VIEWCOUNT_CHECK(line.text == expected.substr(0, kLineBytesMax));
  VIEWCOUNT_CHECK(line.too_long == (expected.size() > kLineBytesMax));
  VIEWCOUNT_CHECK(line.unfinished == (end == rest.npos));
  rest.remove_prefix(std::min(expected.size() + 1, rest.size()));
}

void CheckFile(std::string_view bytes) {
  const bool gzip = bytes.starts_with("\x1F\x8B");
  const MemoryFile file(bytes);
  auto source = ByteSource::Open(file.path());
  VIEWCOUNT_CHECK(source.ok());
  LineReader reader(*std::move(source));
  const auto head = reader.Head();
  VIEWCOUNT_CHECK(head.ok() && head->size() <= kHeadBytes);
  VIEWCOUNT_CHECK(gzip || *head == bytes.substr(0, kHeadBytes));
  std::string_view rest = bytes;
  LogLine line;
  for (uint64_t number = 1; number <= kLinesMax; ++number) {
    const auto more = reader.Next(line);
    VIEWCOUNT_CHECK(more.ok());
    if (!*more) {
      VIEWCOUNT_CHECK(gzip || rest.empty());
      VIEWCOUNT_CHECK(gzip || reader.source().damage().empty());
      return;
    }
    VIEWCOUNT_CHECK(line.number == number && line.text.size() <= kLineBytesMax);
    if (!gzip) CheckPlainLine(line, rest);
    CheckLine(line.text);
  }
}

}  // namespace
}  // namespace viewcount::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  viewcount::cli::CheckFile({reinterpret_cast<const char*>(data), size});
  return 0;
}
