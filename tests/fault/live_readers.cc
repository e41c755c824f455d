#include "tests/fault/live_readers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace viewcount {
namespace {

constexpr int kWaitMilliseconds = 50;
constexpr size_t kReadBytes = 64 << 10;
constexpr std::string_view kEventEnd = "\n\n";
// The text of an event as the service writes it, see openapi.yaml.
constexpr std::string_view kArticle = R"("articleId":"/news/)";
constexpr std::string_view kViews = R"(","views":")";

uint64_t Number(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

LiveReaders::LiveReaders(Options options, const Truth& truth)
    : options_(std::move(options)), truth_(truth), readers_(options_.readers), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  for (Reader& reader : readers_) reader.counts = std::vector<std::atomic<uint64_t>>(options_.articles_each);
}

LiveReaders::~LiveReaders() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  for (const Reader& reader : readers_) {
    if (reader.fd >= 0) close(reader.fd);
  }
  close(epoll_);
}

bool LiveReaders::Open() {
  thread_ = std::thread([this] { Run(); });
  for (int number = 0; number < options_.readers; ++number) {
    if (!Connect(number)) return false;
  }
  return true;
}

bool LiveReaders::Connect(int number) {
  const size_t colon = options_.server.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(Number(std::string_view(options_.server).substr(colon + 1))));
  inet_pton(AF_INET, options_.server.substr(0, colon).c_str(), &address.sin_addr);
  Reader& reader = readers_[number];
  reader.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (reader.fd < 0 || connect(reader.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return false;
  std::string request = "GET /v1/sites/demo/live";
  for (int place = 0; place < options_.articles_each; ++place) {
    request += (place == 0 ? "?article=" : "&article=") + truth_.IdOf(ArticleOf(number, place));
  }
  request += " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  if (send(reader.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    return false;
  fcntl(reader.fd, F_SETFL, O_NONBLOCK);
  epoll_event interest{.events = EPOLLIN, .data = {.u32 = static_cast<uint32_t>(number)}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, reader.fd, &interest) == 0;
}

void LiveReaders::Run() {
  std::array<epoll_event, 256> ready{};
  while (!stopping_) {
    const int count = epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), kWaitMilliseconds);
    for (int i = 0; i < count; ++i) Read(static_cast<int>(ready[i].data.u32));
  }
}

void LiveReaders::Read(int number) {
  static thread_local std::array<char, kReadBytes> buffer;
  Reader& reader = readers_[number];
  const ssize_t size = recv(reader.fd, buffer.data(), buffer.size(), 0);
  if (size <= 0) {
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    epoll_ctl(epoll_, EPOLL_CTL_DEL, reader.fd, nullptr);
    if (reader.told) --told_;
    ++ended_;
    return;
  }
  bytes_ += static_cast<uint64_t>(size);
  reader.unfinished.append(buffer.data(), static_cast<size_t>(size));
  std::string_view rest = reader.unfinished;
  for (size_t end = rest.find(kEventEnd); end != std::string_view::npos; end = rest.find(kEventEnd)) {
    Take(number, rest.substr(0, end));
    rest.remove_prefix(end + kEventEnd.size());
  }
  reader.unfinished.erase(0, reader.unfinished.size() - rest.size());
}

void LiveReaders::Take(int number, std::string_view event) {
  if (event.find("data: ") == std::string_view::npos) return;
  ++events_;
  Reader& reader = readers_[number];
  if (!std::exchange(reader.told, true)) ++told_;
  for (size_t begin = event.find(kArticle); begin != std::string_view::npos; begin = event.find(kArticle)) {
    event.remove_prefix(begin + kArticle.size());
    const auto article = static_cast<int>(Number(event));
    event.remove_prefix(event.find(kViews) + kViews.size());
    // A reader's articles are consecutive numbers that may start again at 0.
    const int place = (article - ArticleOf(number, 0) + truth_.articles()) % truth_.articles();
    if (place < options_.articles_each) reader.counts[place] = Number(event);
  }
}

int LiveReaders::Right() const {
  int right = 0;
  for (int number = 0; number < options_.readers; ++number) {
    bool good = true;
    for (int place = 0; place < options_.articles_each; ++place) {
      good = good && readers_[number].counts[place] == truth_.acknowledged(ArticleOf(number, place));
    }
    right += good ? 1 : 0;
  }
  return right;
}

}  // namespace viewcount
