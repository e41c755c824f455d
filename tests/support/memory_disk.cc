#include "tests/support/memory_disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "service/base/check.h"

namespace viewcount {
namespace {

constexpr uint64_t kSectorBytes = 512;

std::string FolderOf(const std::string& path) { return std::filesystem::path(path).parent_path(); }

}  // namespace

// The content of a file and its durable state.
struct MemoryDisk::Inode {
  struct Sector {
    // The contents that were written since the sector was last durable, oldest first.
    std::vector<std::string> forms;
    // False if a failed sync made the system believe that the sector is durable.
    bool dirty = true;
  };

  // Records a change of the bytes [from, to) of `content`.
  void Touch(uint64_t from, uint64_t to) {
    for (uint64_t sector = from / kSectorBytes; sector * kSectorBytes < to; ++sector) {
      Sector& changed = sectors[sector];
      changed.dirty = true;
      const uint64_t begin = std::min<uint64_t>(sector * kSectorBytes, content.size());
      changed.forms.push_back(content.substr(begin, kSectorBytes));
    }
  }
  void Resize(uint64_t bytes) {
    const uint64_t before = content.size();
    content.resize(bytes, '\0');
    sized = true;
    if (bytes < before) Touch(bytes, before);
  }
  // Writes `form` to its place in the durable bytes.
  void Settle(uint64_t sector, const std::string& form) {
    const uint64_t begin = sector * kSectorBytes;
    if (durable.size() < begin + kSectorBytes) durable.resize(begin + kSectorBytes, '\0');
    std::string whole = form;
    whole.resize(kSectorBytes, '\0');
    durable.replace(begin, kSectorBytes, whole);
  }
  void Sync() {
    for (auto it = sectors.begin(); it != sectors.end();) {
      if (it->second.dirty) Settle(it->first, it->second.forms.back());
      it = it->second.dirty ? sectors.erase(it) : std::next(it);
    }
    durable_bytes = content.size();
    sized = false;
  }
  void FailSync() {
    for (auto& [number, sector] : sectors) sector.dirty = false;
  }
  void Crash(std::mt19937_64& random) {
    for (const auto& [number, sector] : sectors) {
      const uint64_t form = random() % (sector.forms.size() + 1);
      if (form > 0) Settle(number, sector.forms[form - 1]);
    }
    sectors.clear();
    if (sized && random() % 2 == 0) durable_bytes = content.size();
    sized = false;
    durable.resize(durable_bytes, '\0');
    content = durable;
  }

  std::string content;
  // Consists of whole sectors. The bytes after durable_bytes have no meaning.
  std::string durable;
  uint64_t durable_bytes = 0;
  // True if the size is not durable.
  bool sized = false;
  std::map<uint64_t, Sector> sectors;
};

// An open file. It shares its inode with other open files and with the names of the disk. The disk's mutex guards the
// inode.
class MemoryDisk::File final : public DiskFile {
 public:
  File(MemoryDisk& disk, std::string path, std::shared_ptr<Inode> inode, bool writable)
      : disk_(disk), path_(std::move(path)), inode_(std::move(inode)), crashes_(disk.crashes_), writable_(writable) {}

  absl::StatusOr<size_t> Read(uint64_t offset, std::span<char> out) override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto status = Check(false); !status.ok()) return status;
    const std::string& content = inode_->content;
    if (offset >= content.size()) return size_t{0};
    return content.copy(out.data(), out.size(), offset);
  }

  absl::Status Write(uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto status = Check(true); !status.ok()) return status;
    const uint64_t end = offset + bytes.size();
    if (auto status = Grow(end); !status.ok()) return status;
    inode_->content.replace(offset, bytes.size(), bytes);
    inode_->Touch(offset, end);
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto status = Check(false); !status.ok()) return status;
    if (disk_.SyncFails()) {
      inode_->FailSync();
      return absl::FailedPreconditionError(fmt::format("cannot sync {}: it was told to fail", path_));
    }
    inode_->Sync();
    return absl::OkStatus();
  }

  absl::Status Allocate(uint64_t bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto status = Check(true); !status.ok()) return status;
    return Grow(bytes);
  }

  absl::Status Truncate(uint64_t bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto status = Check(true); !status.ok()) return status;
    if (bytes > inode_->content.size()) return Grow(bytes);
    disk_.bytes_ -= inode_->content.size() - bytes;
    inode_->Resize(bytes);
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() override {
    const std::lock_guard lock(disk_.mutex_);
    if (auto status = Check(false); !status.ok()) return status;
    return inode_->content.size();
  }

 private:
  absl::Status Check(bool writing) const {
    if (crashes_ != disk_.crashes_) return absl::FailedPreconditionError(path_ + " was opened before a crash");
    if (writing && !writable_) return absl::FailedPreconditionError(path_ + " was opened for reading");
    return absl::OkStatus();
  }
  absl::Status Grow(uint64_t bytes) {
    const uint64_t before = inode_->content.size();
    if (bytes <= before) return absl::OkStatus();
    if (auto status = disk_.Reserve(path_, before, bytes); !status.ok()) return status;
    inode_->Resize(bytes);
    return absl::OkStatus();
  }

  MemoryDisk& disk_;
  const std::string path_;
  const std::shared_ptr<Inode> inode_;
  const uint64_t crashes_;
  const bool writable_;
};

MemoryDisk::MemoryDisk() = default;
MemoryDisk::~MemoryDisk() = default;

void MemoryDisk::Crash(std::mt19937_64& random) {
  const std::lock_guard lock(mutex_);
  for (const NameChange& change : changes_) {
    if (random() % 2 == 0) Apply(change, durable_names_);
  }
  changes_.clear();
  names_ = durable_names_;
  bytes_ = 0;
  ++crashes_;
  for (const auto& [path, inode] : names_) {
    inode->Crash(random);
    bytes_ += inode->content.size();
  }
}

void MemoryDisk::SetQuota(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  quota_ = bytes;
}

uint64_t MemoryDisk::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void MemoryDisk::FailSync(int nth) {
  const std::lock_guard lock(mutex_);
  syncs_to_failure_ = nth;
}

void MemoryDisk::FlipBit(const std::string& path, uint64_t offset, int bit) {
  const std::lock_guard lock(mutex_);
  const auto inode = Find(path);
  VIEWCOUNT_CHECK(inode.ok() && offset < (*inode)->content.size());
  for (std::string* bytes : {&(*inode)->content, &(*inode)->durable}) {
    if (offset < bytes->size()) (*bytes)[offset] = static_cast<char>((*bytes)[offset] ^ (1 << bit));
  }
}

bool MemoryDisk::SyncFails() { return syncs_to_failure_ > 0 && --syncs_to_failure_ == 0; }

absl::Status MemoryDisk::Reserve(const std::string& path, uint64_t bytes_before, uint64_t bytes_after) {
  if (bytes_ - bytes_before + bytes_after > quota_) {
    return absl::ResourceExhaustedError(fmt::format("cannot make {} longer: no space left", path));
  }
  bytes_ += bytes_after - bytes_before;
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<MemoryDisk::Inode>> MemoryDisk::Find(const std::string& path) const {
  const auto found = names_.find(path);
  if (found == names_.end()) return absl::NotFoundError(fmt::format("there is no {}", path));
  return found->second;
}

absl::StatusOr<std::unique_ptr<DiskFile>> MemoryDisk::OpenForReading(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto inode = Find(path);
  if (!inode.ok()) return inode.status();
  return std::make_unique<File>(*this, path, *inode, false);
}

absl::StatusOr<std::unique_ptr<DiskFile>> MemoryDisk::Open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto inode = Find(path);
  if (!inode.ok()) return inode.status();
  return std::make_unique<File>(*this, path, *inode, true);
}

absl::StatusOr<std::unique_ptr<DiskFile>> MemoryDisk::Create(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const auto known = Find(path); known.ok()) {
    // As with O_TRUNC, the file stays the same under the same name, and a crash may restore its old bytes.
    bytes_ -= (*known)->content.size();
    (*known)->Resize(0);
    return std::make_unique<File>(*this, path, *known, true);
  }
  auto inode = std::make_shared<Inode>();
  if (auto status = Change({.to = path, .created = inode}); !status.ok()) return status;
  return std::make_unique<File>(*this, path, std::move(inode), true);
}

absl::Status MemoryDisk::Rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (folders_.contains(from)) return RenameFolder(from, to);
  if (const auto inode = Find(from); !inode.ok()) return inode.status();
  return Change({.from = from, .to = to});
}

absl::Status MemoryDisk::Remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (const auto inode = Find(path); !inode.ok()) return inode.status();
  return Change({.from = path});
}

absl::Status MemoryDisk::RenameFolder(const std::string& from, const std::string& to) {
  const auto begins = [](const std::string& name, const std::string& folder) { return name.starts_with(folder + "/"); };
  for (const auto& [name, inode] : names_) {
    if (begins(name, to)) return absl::FailedPreconditionError(fmt::format("{} is not empty", to));
  }
  // Names inside a folder move with it whether they are durable or not. For simplicity they become durable here.
  std::vector<NameChange> others;
  for (NameChange& change : changes_) {
    if (begins(change.to.empty() ? change.from : change.to, from)) {
      Apply(change, durable_names_);
    } else {
      others.push_back(std::move(change));
    }
  }
  changes_ = std::move(others);
  // The old folder is kept, because a crash may bring it back.
  std::vector<std::string> moved;
  for (const std::string& folder : folders_) {
    if (folder == from || begins(folder, from)) moved.push_back(to + folder.substr(from.size()));
  }
  folders_.insert(moved.begin(), moved.end());
  return Change({.from = from, .to = to, .folder = true});
}

void MemoryDisk::Apply(const NameChange& change, Names& names) {
  if (change.folder) {
    const std::string prefix = change.from + "/";
    Names moved;
    for (auto it = names.lower_bound(prefix); it != names.end() && it->first.starts_with(prefix);) {
      moved[change.to + it->first.substr(change.from.size())] = it->second;
      it = names.erase(it);
    }
    names.merge(moved);
    return;
  }
  if (change.from.empty()) {
    names[change.to] = change.created;
    return;
  }
  // The name may not exist, because a crash may have discarded the change that created it.
  const auto found = names.find(change.from);
  if (found == names.end()) return;
  const auto inode = found->second;
  names.erase(found);
  if (!change.to.empty()) names[change.to] = inode;
}

absl::Status MemoryDisk::Change(NameChange change) {
  if (!change.to.empty() && !folders_.contains(FolderOf(change.to))) {
    return absl::NotFoundError(fmt::format("there is no folder for {}", change.to));
  }
  Apply(change, names_);
  changes_.push_back(std::move(change));
  bytes_ = 0;
  for (const auto& [path, inode] : names_) bytes_ += inode->content.size();
  return absl::OkStatus();
}

absl::Status MemoryDisk::SyncFolder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!folders_.contains(path)) return absl::NotFoundError(fmt::format("there is no folder {}", path));
  if (SyncFails()) return absl::FailedPreconditionError(fmt::format("cannot sync {}: it was told to fail", path));
  std::vector<NameChange> others;
  for (NameChange& change : changes_) {
    if (FolderOf(change.to.empty() ? change.from : change.to) == path) {
      Apply(change, durable_names_);
    } else {
      others.push_back(std::move(change));
    }
  }
  changes_ = std::move(others);
  return absl::OkStatus();
}

absl::Status MemoryDisk::MakeFolder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  for (std::string folder = path; !folder.empty() && folder != "/"; folder = FolderOf(folder)) folders_.insert(folder);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryDisk::List(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!folders_.contains(path)) return absl::NotFoundError(fmt::format("there is no folder {}", path));
  std::vector<std::string> names;
  for (const auto& [name, inode] : names_) {
    if (FolderOf(name) == path) names.push_back(std::filesystem::path(name).filename());
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> MemoryDisk::ListFolders(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!folders_.contains(path)) return absl::NotFoundError(fmt::format("there is no folder {}", path));
  std::set<std::string> folders;
  const std::string prefix = path + "/";
  for (const auto& [name, inode] : names_) {
    if (!name.starts_with(prefix)) continue;
    const std::string rest = name.substr(prefix.size());
    if (const size_t end = rest.find('/'); end != std::string::npos) folders.insert(rest.substr(0, end));
  }
  return std::vector<std::string>(folders.begin(), folders.end());
}

absl::Status MemoryDisk::RemoveFolder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> files;
  for (const auto& [name, inode] : names_) {
    if (name.starts_with(path + "/")) files.push_back(name);
  }
  for (const std::string& file : files) {
    if (auto status = Change({.from = file}); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace viewcount
