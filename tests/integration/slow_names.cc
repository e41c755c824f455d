// Simulates a name server that hangs, by LD_PRELOAD: the names that begin with "hangs." are looked up for 30 seconds,
// and then do not exist. Thread-safe.
#include <dlfcn.h>
#include <netdb.h>

#include <chrono>
#include <cstring>
#include <thread>

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found) {
  static const auto next = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  constexpr const char kBegin[] = "hangs.";
  if (name == nullptr || std::strncmp(name, kBegin, sizeof(kBegin) - 1) != 0) return next(name, service, hints, found);
  std::this_thread::sleep_for(std::chrono::seconds(30));
  return EAI_AGAIN;
}
