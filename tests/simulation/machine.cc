#include "tests/simulation/machine.h"

#include "service/base/check.h"
#include "service/base/files.h"

namespace viewcount::simulation {

Image Machine::TakeImage(size_t lanes) {
  Image image;
  for (size_t lane = 0; lane < lanes; ++lane) {
    const std::string folder = LaneFolder(lane);
    const auto names = stored.List(folder);
    if (!names.ok()) continue;
    for (const std::string& name : *names) {
      auto text = ReadFile(stored, folder + "/" + name);
      VIEWCOUNT_CHECK(text.ok());
      image[folder + "/" + name] = *std::move(text);
    }
  }
  return image;
}

void Machine::PutImage(const Image& image, size_t lanes) {
  stored.SetQuota(UINT64_MAX);
  stored.FailSync(0);
  for (size_t lane = 0; lane < lanes; ++lane) {
    const std::string folder = LaneFolder(lane);
    VIEWCOUNT_CHECK(stored.MakeFolder(folder).ok());
    const auto names = stored.List(folder);
    VIEWCOUNT_CHECK(names.ok());
    for (const std::string& name : *names) VIEWCOUNT_CHECK(stored.Remove(folder + "/" + name).ok());
    VIEWCOUNT_CHECK(stored.SyncFolder(folder).ok());
  }
  for (const auto& [path, text] : image) VIEWCOUNT_CHECK(WriteFileDurably(stored, path, text).ok());
}

}  // namespace viewcount::simulation
