// Fuzzes the log reader and the parsers of all formats with any file. The reader must return the lines of the file,
// none longer than the limit. Each view must be one that the service accepts. A view that is written again in the
// simplest form must be parsed as the same view.
#include <arpa/inet.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

// The parsers of one file: one for each format, and one that finds the format.
class Parsers {
 public:
  explicit Parsers(std::string_view head) {
    Add("auto", head);
    for (const auto& name : FormatNames()) Add(name, head);
    Add("$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_user_agent\"", head);
  }

  void CheckLine(std::string_view line) {
    for (const auto& parser : parsers_) Check(*parser, line);
    CheckExcerpt(line);
  }

 private:
  void Add(const std::string& format, std::string_view head) {
    auto parser = AccessLogParser::Make({format, ""}, head, rules_, Bots(), ViewerSalt());
    VIEWCOUNT_CHECK(parser.ok());
    parsers_.push_back(*std::move(parser));
  }

  static const BotPatterns& Bots() {
    static const BotPatterns bots;
    return bots;
  }

  void Check(AccessLogParser& parser, std::string_view line) {
    const AccessLogLine parsed = parser.Parse(line);
    VIEWCOUNT_CHECK((parsed.kind == LineKind::kBad) == !parsed.problem.empty());
    VIEWCOUNT_CHECK(IsView(parsed.kind) || parsed.article_id.empty());
    if (IsView(parsed.kind)) CheckView(parsed);
  }

  void CheckView(const AccessLogLine& parsed) {
    VIEWCOUNT_CHECK(IsArticleId(parsed.article_id) && parsed.article_id[0] == '/');
    VIEWCOUNT_CHECK((parsed.viewer == 0) == (parsed.client == 0));
    VIEWCOUNT_CHECK(parsed.event_time_unix_ms >= 1 && parsed.event_time_unix_ms <= limits::kEventTimeUnixMsMax);
    const std::time_t seconds = parsed.event_time_unix_ms / 1'000;
    std::tm time{};
    VIEWCOUNT_CHECK(gmtime_r(&seconds, &time) != nullptr);
    char text[40];
    VIEWCOUNT_CHECK(std::strftime(text, sizeof(text), "%d/%b/%Y:%H:%M:%S +0000", &time) == 26);
    // The article's ID has no characters that a log would escape, apart from the backslash.
    std::string target;
    for (const char c : parsed.article_id) target += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : std::string(1, c);
    const std::string plain = std::string("192.0.2.1 - - [") + text + "] \"GET " + target + " HTTP/1.1\" 200 -";
    LogRules rules;
    const auto parser = *AccessLogParser::Make({"common", ""}, plain, rules, Bots(), ViewerSalt());
    const AccessLogLine again = parser->Parse(plain);
    VIEWCOUNT_CHECK(IsView(again.kind));
    VIEWCOUNT_CHECK(again.article_id == parsed.article_id);
    VIEWCOUNT_CHECK(again.event_time_unix_ms / 1'000 == seconds);
  }

  const LogRules rules_;
  std::vector<std::unique_ptr<AccessLogParser>> parsers_;
};

// Checks a line of a plain file: it must be the text up to the next line end, without a byte order mark.
void CheckPlainLine(const LogLine& line, std::string_view& rest) {
  VIEWCOUNT_CHECK(!rest.empty());
  const size_t end = rest.find('\n');
  const std::string_view expected = rest.substr(0, end);
  const bool marked = line.number == 1 && expected.starts_with(kUtf8Mark);
  VIEWCOUNT_CHECK(line.text == expected.substr(0, kLineBytesMax).substr(marked ? kUtf8Mark.size() : 0));
  VIEWCOUNT_CHECK(line.too_long == (expected.size() > kLineBytesMax));
  VIEWCOUNT_CHECK(line.unfinished == (end == rest.npos));
  rest.remove_prefix(std::min(expected.size() + 1, rest.size()));
}

void CheckFile(std::string_view bytes) {
  // The lines of other files are not those of their bytes.
  const bool plain =
      Decompressor::Detect(bytes) == nullptr && !bytes.starts_with("\xFF\xFE") && !bytes.starts_with("\xFE\xFF");
  const MemoryFile file(bytes);
  auto source = ByteSource::Open(file.path());
  VIEWCOUNT_CHECK(source.ok());
  LineReader reader(*std::move(source));
  const auto head = reader.Head();
  VIEWCOUNT_CHECK(head.ok() && head->size() <= kHeadBytes);
  VIEWCOUNT_CHECK(!plain || *head == bytes.substr(0, kHeadBytes));
  Parsers parsers(*head);
  std::string_view rest = bytes;
  LogLine line;
  for (uint64_t number = 1; number <= kLinesMax; ++number) {
    const auto more = reader.Next(line);
    VIEWCOUNT_CHECK(more.ok());
    if (!*more) {
      VIEWCOUNT_CHECK(!plain || rest.empty());
      VIEWCOUNT_CHECK(!plain || reader.source().damage().empty());
      return;
    }
    VIEWCOUNT_CHECK(line.number == number && line.text.size() <= kLineBytesMax);
    if (plain) CheckPlainLine(line, rest);
    parsers.CheckLine(line.text);
  }
}

}  // namespace
}  // namespace viewcount::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  viewcount::cli::CheckFile({reinterpret_cast<const char*>(data), size});
  return 0;
}
