#include "tests/support/append_only_file.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace viewcount {
namespace {

using std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kSampleEvery{50};
// The documentation of appendfsync everysec allows the loss of this much time.
constexpr std::chrono::seconds kLostAtMost{2};

}  // namespace

AppendOnlyFile::AppendOnlyFile(std::string folder) : folder_(std::move(folder)), thread_([this] { Watch(); }) {}

AppendOnlyFile::~AppendOnlyFile() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  thread_.join();
}

AppendOnlyFile::Sample AppendOnlyFile::Look() const {
  Sample sample{steady_clock::now(), "", 0};
  std::ifstream manifest(files() + "/appendonly.aof.manifest");
  // A line has the form: file NAME seq NUMBER type b|i|h
  for (std::string line; std::getline(manifest, line);) {
    std::istringstream words(line);
    std::string word;
    std::string name;
    words >> word >> name;
    if (line.ends_with("type i")) sample.name = name;
  }
  std::error_code error;
  const auto bytes = fs::file_size(files() + "/" + sample.name, error);
  sample.bytes = error || sample.name.empty() ? 0 : bytes;
  return sample;
}

void AppendOnlyFile::Watch() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    samples_.push_back(Look());
    // One sample from before this period is kept.
    while (samples_.size() > 1 && samples_[1].time < samples_.back().time - 2 * kLostAtMost) samples_.pop_front();
    stop_changed_.wait_for(lock, kSampleEvery);
  }
}

uint64_t AppendOnlyFile::CutBack(std::mt19937_64& random, steady_clock::time_point now) {
  const Sample end = Look();
  uint64_t least = 0;
  {
    const std::lock_guard lock(mutex_);
    // If the current file is younger than kLostAtMost, no sample matches its name, and all of it may be lost. The file
    // before it was synced when it was closed.
    for (const Sample& sample : samples_) {
      if (sample.time <= now - kLostAtMost && sample.name == end.name) least = sample.bytes;
    }
  }
  if (end.name.empty() || least >= end.bytes) return 0;
  const uint64_t keep = std::uniform_int_distribution<uint64_t>(least, end.bytes)(random);
  fs::resize_file(files() + "/" + end.name, keep);
  return end.bytes - keep;
}

void AppendOnlyFile::Save(const std::string& copy) const { fs::copy(files(), copy, fs::copy_options::recursive); }

void AppendOnlyFile::Restore(const std::string& copy) const {
  fs::remove_all(files());
  fs::copy(copy, files(), fs::copy_options::recursive);
}

}  // namespace viewcount
