#include "tests/support/service_process.h"

#include <grpcpp/create_channel.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include "tests/support/eventually.h"
#include "tests/support/free_port.h"
#include "viewcount/v1/admin.grpc.pb.h"

namespace viewcount {
namespace {

// Longer than the 10 s that the documentation asks supervisors to wait.
constexpr std::chrono::seconds kStopWait{12};

}  // namespace

ServiceProcess::ServiceProcess(Options options)
    : options_(std::move(options)), port_(PickFreePort()), server_("127.0.0.1:" + std::to_string(port_)) {}

void ServiceProcess::Start() {
  std::vector<std::string> words;
  if (!options_.environment.empty()) {
    words.emplace_back("env");
    words.insert(words.end(), options_.environment.begin(), options_.environment.end());
  }
  for (const char* word : {VIEWCOUNTD, "--site", "demo", "--http-address", "127.0.0.1:0", "--backend-address",
                           "127.0.0.1:0", "--admin-address", "127.0.0.1:0", "--grpc-address"}) {
    words.emplace_back(word);
  }
  words.insert(words.end(), {server_, "--data-dir", options_.data_dir, "--redis", options_.redis});
  words.insert(words.end(), options_.flags.begin(), options_.flags.end());
  process_.Start(std::move(words), log_path());
}

bool ServiceProcess::WaitUntilReady(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::system_clock::now() + timeout;
  bool connected = false;
  Eventually([&] { return process_.HasEnded() || (connected = IsListening(port_)); }, timeout);
  if (!connected) return false;
  auto admin = v1::AdminService::NewStub(NewChannel());
  grpc::ClientContext context;
  context.set_deadline(deadline);
  v1::GetStatusResponse response;
  if (!admin->GetStatus(&context, v1::GetStatusRequest(), &response).ok()) return false;
  // A service that found no store in time at its start answers calls before the store is available.
  const auto has_store = [&] {
    grpc::ClientContext again;
    again.set_deadline(deadline);
    return admin->GetStatus(&again, v1::GetStatusRequest(), &response).ok() &&
           response.store_state() == v1::STORE_STATE_READY;
  };
  if (!Eventually([&] { return process_.HasEnded() || has_store(); }, timeout)) return false;
  // gRPC answers first. The file is written when all addresses are open.
  return Eventually([&] { return process_.HasEnded() || !Address("http").empty(); }, timeout) &&
         !Address("http").empty();
}

std::optional<int> ServiceProcess::Stop() { return process_.Stop(SIGTERM, kStopWait); }

// Signal 0 sends no signal, so Stop only waits.
std::optional<int> ServiceProcess::WaitForEnd(std::chrono::milliseconds timeout) { return process_.Stop(0, timeout); }

std::string ServiceProcess::Address(const std::string& name) const {
  std::ifstream file(options_.data_dir + "/addresses");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
  }
  return "";
}

std::shared_ptr<grpc::Channel> ServiceProcess::NewChannel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 200);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  return grpc::CreateCustomChannel(server_, grpc::InsecureChannelCredentials(), arguments);
}

std::string ServiceProcess::Log() const {
  std::ifstream file(log_path());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

uint64_t ServiceProcess::Memory(const std::string& field) const {
  std::ifstream file("/proc/" + std::to_string(pid()) + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(field + ":")) return std::strtoull(line.c_str() + field.size() + 1, nullptr, 10) * 1024;
  }
  return 0;
}

std::chrono::milliseconds ServiceProcess::CpuTime() const {
  std::ifstream file("/proc/" + std::to_string(pid()) + "/stat");
  std::string text;
  // The second field is the program's name in parentheses and may contain spaces. User time and system time are the
  // 14th and 15th fields (proc(5)).
  if (!std::getline(file, text, '\0')) return {};
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  int64_t user = 0;
  int64_t system = 0;
  rest >> user >> system;
  return std::chrono::milliseconds((user + system) * 1'000 / sysconf(_SC_CLK_TCK));
}

}  // namespace viewcount
