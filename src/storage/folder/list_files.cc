#include "storage/list_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "base/hash.h"

namespace safeguard::storage {
namespace {

constexpr std::string_view kEnding = ".jsonl";

// Names, sizes, times: what can be had without reading.
std::string LooksOf(const std::vector<std::string>& files) {
  std::string looks;
  for (const std::string& file : files) {
    struct ::stat look{};
    looks += file + '\0';
    if (::stat(file.c_str(), &look) == 0) {
      for (const std::int64_t number :
           {static_cast<std::int64_t>(look.st_ino), static_cast<std::int64_t>(look.st_size),
            static_cast<std::int64_t>(look.st_mtim.tv_sec),
            static_cast<std::int64_t>(look.st_mtim.tv_nsec)}) {
        looks += std::to_string(number) + ' ';
      }
    }
  }
  return looks;
}

}  // namespace

Result<std::vector<std::string>> FindListFiles(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    const std::size_t first = files.size();
    std::filesystem::directory_iterator each(path, error);
    for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) {
      if (each->path().extension() == kEnding && each->is_regular_file(error)) {
        files.push_back(each->path().string());
      }
    }
    if (error) {
      return Fail(ErrorCode::kUnavailable, path + " cannot be read: " + error.message());
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(first), files.end());
  }
  return files;
}

std::string ListName(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  if (name.ends_with(kEnding)) {
    name.resize(name.size() - kEnding.size());
  }
  return name;
}

Result<std::unique_ptr<ListFiles>> ListFiles::Open(std::vector<std::string> paths,
                                                   std::function<std::int64_t()> now) {
  Result<std::shared_ptr<const moderation::ListSnapshot>> none =
      moderation::ListSnapshot::Compile({});
  if (!none) {
    return std::unexpected(none.error());
  }
  std::unique_ptr<ListFiles> files(new ListFiles(
      std::move(paths), std::make_shared<moderation::LiveLists>(std::move(*none), std::move(now))));
  const Result<bool> read = files->ReloadIfChanged();
  if (!read) {
    return std::unexpected(read.error());
  }
  return files;
}

Result<bool> ListFiles::ReloadIfChanged() {
  const Result<std::vector<std::string>> files = FindListFiles(paths_);
  if (!files) {
    return std::unexpected(files.error());
  }
  // Looked at before it is read: what changes in between is seen the next time.
  std::string looks = LooksOf(*files);
  {
    const std::lock_guard lock(mutex_);
    if (looks == seen_) {
      return false;
    }
    seen_ = std::move(looks);
  }
  return Reload();
}

Result<bool> ListFiles::Reload() {
  const std::lock_guard lock(mutex_);
  const Result<std::vector<std::string>> files = FindListFiles(paths_);
  if (!files) {
    return std::unexpected(files.error());
  }
  std::vector<moderation::List> lists;
  std::string state = "lists";
  std::vector<std::string> contents;
  for (const std::string& file : *files) {
    Result<std::string> bytes = ReadFile(file, moderation::kListBytesMax);
    if (!bytes) {
      return std::unexpected(bytes.error());
    }
    state = Blake2bHex(state + file + '\0' + Blake2bHex(*bytes));
    contents.push_back(std::move(*bytes));
  }
  if (state == state_) {
    return false;
  }
  for (std::size_t i = 0; i < files->size(); ++i) {
    Result<moderation::List> list = moderation::ReadList(contents[i], ListName((*files)[i]));
    if (!list) {
      return std::unexpected(list.error());
    }
    lists.push_back(std::move(*list));
  }
  Result<std::shared_ptr<const moderation::ListSnapshot>> snapshot =
      moderation::ListSnapshot::Compile(std::move(lists));
  if (!snapshot) {
    return std::unexpected(snapshot.error());
  }
  layer_->Replace(std::move(*snapshot));
  state_ = std::move(state);
  return true;
}

}  // namespace safeguard::storage
