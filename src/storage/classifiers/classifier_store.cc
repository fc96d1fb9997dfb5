#include "storage/classifier_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "storage/classifiers/index.h"

namespace safeguard::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytesMax = std::size_t{1} << 30;
constexpr const char* kSuffix = ".classifier";

std::string IndexPath(const std::string& folder) {
  return folder + "/index.json";
}

std::string FilePath(const std::string& folder, const std::string& hash) {
  return folder + "/" + hash + kSuffix;
}

Result<ClassifierIndex> Load(const std::string& folder) {
  const Result<std::string> bytes = ReadFile(IndexPath(folder), kIndexBytesMax);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
    return ClassifierIndex{};
  }
  return bytes ? ReadIndex(*bytes, IndexPath(folder)) : std::unexpected(bytes.error());
}

Status Save(const std::string& folder, const ClassifierIndex& index) {
  return WriteFileAtomically(IndexPath(folder), WriteIndex(index));
}

// The right to change the folder, while it lives.
class Lock {
 public:
  static Result<std::unique_ptr<Lock>> Take(const std::string& folder) {
    std::error_code problem;
    fs::create_directories(folder, problem);
    if (problem) {
      return Fail(ErrorCode::kUnavailable,
                  "the folder " + folder + " cannot be made: " + problem.message(),
                  "name another one with --data-dir");
    }
    ::chmod(folder.c_str(), 0700);  // a classifier tells of what people wrote
    const std::string path = folder + "/lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ::flock(fd, LOCK_EX) != 0) {
      const int error = errno;
      if (fd >= 0) {
        ::close(fd);
      }
      return Fail(ErrorCode::kUnavailable, path + " cannot be locked: " + std::strerror(error),
                  "the data folder must be writable");
    }
    return std::unique_ptr<Lock>(new Lock(fd));
  }
  ~Lock() { ::close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  explicit Lock(int fd) : fd_(fd) {}
  int fd_;
};

// What no entry names: left by a process that was killed, or by a removal. Best effort.
void Sweep(const std::string& folder, const ClassifierIndex& index) {
  std::set<std::string> named;
  for (const ClassifierEntry& entry : index.entries) {
    named.insert(entry.hash + kSuffix);
  }
  std::error_code ignored;
  for (const fs::directory_entry& file : fs::directory_iterator(folder, ignored)) {
    const std::string name = file.path().filename().string();
    const bool ours = name.find(kSuffix) == 64 || name.starts_with("index.json.");
    if (ours && !named.contains(name)) {
      fs::remove(file.path(), ignored);
    }
  }
}

std::string Known(const ClassifierIndex& index, const std::string& policy_id) {
  std::string known;
  for (const ClassifierEntry& entry : index.entries) {
    if (entry.policy_id == policy_id) {
      known += (known.empty() ? "" : ", ") + entry.name + "@" + std::to_string(entry.version);
    }
  }
  return known.empty() ? "train one with `safeguard screen train --policy " + policy_id + "`"
                       : "there are: " + known;
}

Result<ActiveClassifier> ActiveOf(const ClassifierIndex& index, const std::string& policy_id) {
  const ClassifierUse& use = index.uses.at(policy_id).back();
  return ActiveClassifier{*index.Find(policy_id, use.name, use.version), use.band};
}

}  // namespace

ClassifierStore::ClassifierStore(const std::string& data_folder)
    : folder_(data_folder + "/classifiers") {}

Result<std::vector<ClassifierEntry>> ClassifierStore::List() const {
  Result<ClassifierIndex> index = Load(folder_);
  return index ? Result<std::vector<ClassifierEntry>>(std::move(index->entries))
               : std::unexpected(index.error());
}

Result<std::optional<ActiveClassifier>> ClassifierStore::Active(
    const std::string& policy_id) const {
  const Result<ClassifierIndex> index = Load(folder_);
  if (!index) {
    return std::unexpected(index.error());
  }
  const auto uses = index->uses.find(policy_id);
  if (uses == index->uses.end() || uses->second.empty()) {
    return std::nullopt;
  }
  return ActiveOf(*index, policy_id);
}

Result<ClassifierEntry> ClassifierStore::Find(const std::string& policy_id, const std::string& name,
                                              int version) const {
  const Result<ClassifierIndex> index = Load(folder_);
  if (!index) {
    return std::unexpected(index.error());
  }
  const ClassifierEntry* found = nullptr;
  for (const ClassifierEntry& entry : index->entries) {
    if (entry.policy_id == policy_id && entry.name == name &&
        (version == 0 || entry.version == version)) {
      found = &entry;  // in order: the newest comes last
    }
  }
  if (found == nullptr) {
    return Fail(ErrorCode::kNotFound,
                "the policy " + policy_id + " has no classifier " + name +
                    (version == 0 ? "" : "@" + std::to_string(version)),
                Known(*index, policy_id));
  }
  return *found;
}

Result<std::string> ClassifierStore::Read(const ClassifierEntry& entry) const {
  const std::string path = FilePath(folder_, entry.hash);
  Result<std::string> bytes = ReadFile(path, kFileBytesMax);
  if (bytes && Blake2bHex(*bytes) != entry.hash) {
    return Fail(ErrorCode::kCorruptFile,
                path + " is damaged: its bytes have changed since it was installed",
                "roll back to another version, or train it again");
  }
  return bytes;
}

Result<ClassifierEntry> ClassifierStore::Install(ClassifierEntry entry, std::string_view bytes,
                                                 bool use, bool band) {
  if (const Status name = CheckClassifierName(entry.name); !name) {
    return std::unexpected(name.error());
  }
  const Result<std::unique_ptr<Lock>> lock = Lock::Take(folder_);
  if (!lock) {
    return std::unexpected(lock.error());
  }
  Result<ClassifierIndex> index = Load(folder_);
  if (!index) {
    return std::unexpected(index.error());
  }
  if (index->entries.size() >= kClassifierEntriesMax) {
    return Fail(ErrorCode::kLimit,
                "there are " + std::to_string(kClassifierEntriesMax) + " versions already",
                "remove some with `safeguard screen remove`");
  }
  entry.hash = Blake2bHex(bytes);
  entry.bytes = bytes.size();
  entry.version = ++index->highest[{entry.policy_id, entry.name}];
  index->entries.push_back(entry);
  std::ranges::sort(index->entries, {}, [](const ClassifierEntry& e) {
    return std::tuple(e.policy_id, e.name, e.version);
  });
  if (use) {
    index->uses[entry.policy_id].push_back({entry.name, entry.version, band});
  }
  Status saved = WriteFileAtomically(FilePath(folder_, entry.hash), bytes);
  if (saved) {
    saved = Save(folder_, *index);
  }
  if (!saved) {
    if (const Result<ClassifierIndex> before = Load(folder_); before) {
      Sweep(folder_, *before);
    }
    return std::unexpected(saved.error());
  }
  Sweep(folder_, *index);
  return entry;
}

Result<ActiveClassifier> ClassifierStore::Use(const ClassifierEntry& entry, bool band) {
  const Result<std::unique_ptr<Lock>> lock = Lock::Take(folder_);
  if (!lock) {
    return std::unexpected(lock.error());
  }
  Result<ClassifierIndex> index = Load(folder_);
  if (!index) {
    return std::unexpected(index.error());
  }
  if (index->Find(entry.policy_id, entry.name, entry.version) == nullptr) {
    return Fail(ErrorCode::kNotFound, "somebody has removed it", Known(*index, entry.policy_id));
  }
  std::vector<ClassifierUse>& uses = index->uses[entry.policy_id];
  const ClassifierUse next{entry.name, entry.version, band};
  if (uses.empty() || uses.back() != next) {
    uses.push_back(next);
  }
  const Status saved = Save(folder_, *index);
  return saved ? ActiveOf(*index, entry.policy_id) : std::unexpected(saved.error());
}

Result<ActiveClassifier> ClassifierStore::Rollback(const std::string& policy_id) {
  const Result<std::unique_ptr<Lock>> lock = Lock::Take(folder_);
  if (!lock) {
    return std::unexpected(lock.error());
  }
  Result<ClassifierIndex> index = Load(folder_);
  if (!index) {
    return std::unexpected(index.error());
  }
  std::vector<ClassifierUse>& uses = index->uses[policy_id];
  if (uses.size() < 2) {
    return Fail(ErrorCode::kNotFound,
                "no other classifier has answered for the policy " + policy_id + " before",
                Known(*index, policy_id));
  }
  uses.pop_back();
  const Status saved = Save(folder_, *index);
  return saved ? ActiveOf(*index, policy_id) : std::unexpected(saved.error());
}

Status ClassifierStore::Remove(const ClassifierEntry& entry, bool even_active) {
  const Result<std::unique_ptr<Lock>> lock = Lock::Take(folder_);
  if (!lock) {
    return std::unexpected(lock.error());
  }
  Result<ClassifierIndex> index = Load(folder_);
  if (!index) {
    return std::unexpected(index.error());
  }
  std::vector<ClassifierUse>& uses = index->uses[entry.policy_id];
  const auto is_it = [&entry](const ClassifierUse& use) {
    return use.name == entry.name && use.version == entry.version;
  };
  const bool active = !uses.empty() && is_it(uses.back());
  if (active && !even_active) {
    return Fail(ErrorCode::kInvalidInput,
                entry.name + "@" + std::to_string(entry.version) + " answers for the policy " +
                    entry.policy_id,
                "use another one first, or remove it with --force: nothing answers then");
  }
  if (active) {
    uses.clear();  // nothing answers, rather than something that was taken out of use
  }
  std::erase_if(uses, is_it);
  if (uses.empty()) {
    index->uses.erase(entry.policy_id);
  }
  std::erase_if(index->entries, [&entry](const ClassifierEntry& other) {
    return other.policy_id == entry.policy_id && other.name == entry.name &&
           other.version == entry.version;
  });
  const Status saved = Save(folder_, *index);
  if (saved) {
    Sweep(folder_, *index);
  }
  return saved;
}

}  // namespace safeguard::storage
