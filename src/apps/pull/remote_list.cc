#include "apps/pull/remote_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>
#include <utility>

#include "apps/pull/pull_folder.h"
#include "base/utf8.h"

namespace safeguard::apps::pull {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPathBytesMax = 1000;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kDepthMax = 16;
constexpr const char* kRefusedHint = "the list is refused; check the name and HF_ENDPOINT";

std::unexpected<Error> NoList(const std::string& why) {
  return Fail(ErrorCode::kCorruptFile, "the server's list of files cannot be used: " + why,
              "check HF_ENDPOINT");
}

std::optional<std::uint64_t> SizeIn(const Json& object) {
  const auto size = object.find("size");
  if (size == object.end() || !size->is_number_unsigned()) {
    return std::nullopt;
  }
  return size->get<std::uint64_t>();
}

std::string TextIn(const Json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

Result<RemoteFile> FileOf(const Json& entry) {
  RemoteFile file;
  file.path = TextIn(entry, "path");
  const Status path = CheckRemotePath(file.path);
  if (!path) {
    return std::unexpected(path.error());
  }
  const auto lfs = entry.find("lfs");
  const bool large = lfs != entry.end() && lfs->is_object();
  const auto size = large && SizeIn(*lfs) ? SizeIn(*lfs) : SizeIn(entry);
  if (!size) {
    return NoList(file.path + " has no size");
  }
  if (*size > kFileBytesMax) {
    return Fail(ErrorCode::kLimit,
                file.path + " is listed with " + std::to_string(*size) +
                    " bytes, more than any "
                    "model has",
                kRefusedHint);
  }
  file.size = *size;
  std::string hex = TextIn(large ? *lfs : entry, "oid");
  if (large && hex.starts_with("sha256:")) {
    hex.erase(0, 7);
  }
  if (!hex.empty()) {
    Result<Checksum> checksum =
        ParseChecksum(large ? ChecksumKind::kSha256 : ChecksumKind::kGitSha1, hex);
    if (!checksum) {
      return NoList("the checksum of " + file.path + " is no checksum");
    }
    file.checksum = std::move(*checksum);
  }
  return file;
}

}  // namespace

Status AppendListPage(std::string_view json, std::vector<RemoteFile>& files) {
  const Json list = Json::parse(json, nullptr, false);
  if (!list.is_array()) {
    const std::size_t first = json.find_first_not_of(" \t\r\n");
    const bool page = first != std::string_view::npos && json[first] == '<';
    return NoList(page ? "it is a web page, not JSON: a login page or proxy may stand in between"
                       : "it is not a JSON list");
  }
  std::unordered_set<std::string> paths;
  for (const RemoteFile& file : files) {
    paths.insert(file.path);
  }
  for (const Json& entry : list) {
    if (!entry.is_object()) {
      return NoList("an entry is not an object");
    }
    if (TextIn(entry, "type") != "file") {
      continue;
    }
    Result<RemoteFile> file = FileOf(entry);
    if (!file) {
      return std::unexpected(file.error());
    }
    if (!paths.insert(file->path).second) {
      return NoList(file->path + " stands in it twice");
    }
    if (files.size() >= kListedFilesMax) {
      return Fail(ErrorCode::kLimit,
                  "the repository lists more than " + std::to_string(kListedFilesMax) + " files",
                  kRefusedHint);
    }
    files.push_back(std::move(*file));
  }
  return {};
}

std::string CommitOf(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  std::string sha = object.is_object() ? TextIn(object, "sha") : "";
  return IsCommit(sha) ? sha : "";
}

Status CheckRemotePath(std::string_view path) {
  const auto bad = [path](const std::string& why) {
    return Fail(ErrorCode::kCorruptFile,
                "a file is listed under a name that is not safe to write: " +
                    std::string(path.substr(0, 200)) + " (" + why + ")",
                kRefusedHint);
  };
  if (path.empty() || path.size() > kPathBytesMax || FirstInvalidUtf8(path)) {
    return bad("empty, too long or not UTF-8");
  }
  if (std::ranges::any_of(path, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '\x7f' || c == '\\';
      })) {
    return bad("control characters or backslashes");
  }
  std::size_t depth = 0;
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    if (name.empty() || name == "." || name == ".." || name.size() > kNameBytesMax ||
        ++depth > kDepthMax || name == kWorkFolder) {
      return bad("it leads elsewhere");
    }
    if (slash == std::string_view::npos) {
      return {};
    }
    rest.remove_prefix(slash + 1);
  }
}

bool IsCommit(std::string_view text) {
  return ParseChecksum(ChecksumKind::kGitSha1, text).has_value();
}

}  // namespace safeguard::apps::pull
