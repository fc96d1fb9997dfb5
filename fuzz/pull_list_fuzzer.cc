// Arbitrary bytes as a repository's list of files: what is accepted is safe to write below a
// folder, and what is chosen of it stands in it.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "apps/pull/file_choice.h"
#include "apps/pull/remote_list.h"
#include "base/check.h"
#include "base/utf8.h"

using safeguard::apps::pull::RemoteFile;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string commit = safeguard::apps::pull::CommitOf(bytes);
  CHECK(commit.empty() || commit.size() == 40);
  std::vector<RemoteFile> files;
  const safeguard::Status read = safeguard::apps::pull::AppendListPage(bytes, files);
  if (!read) {
    CHECK(!read.error().message.empty() && !read.error().hint.empty());
    return 0;
  }
  CHECK(files.size() <= safeguard::apps::pull::kListedFilesMax);
  for (const RemoteFile& file : files) {
    CHECK(file.size <= safeguard::apps::pull::kFileBytesMax);
    const std::string framed = "/" + file.path + "/";
    CHECK(framed.find("/../") == std::string::npos && framed.find("//") == std::string::npos);
    CHECK(framed.find('\0') == std::string::npos && framed.find('\x1b') == std::string::npos);
    CHECK(!safeguard::FirstInvalidUtf8(file.path));
  }
  for (const std::vector<std::string>& globs : {std::vector<std::string>{}, {"*"}}) {
    const auto chosen = safeguard::apps::pull::ChooseFiles(files, globs, "a/b");
    if (!chosen) {
      CHECK(!chosen.error().message.empty());
      continue;
    }
    CHECK(!chosen->empty() && chosen->size() <= files.size());
    for (const RemoteFile& file : *chosen) {
      CHECK(std::ranges::any_of(files, [&](const auto& f) { return f.path == file.path; }));
    }
  }
  return 0;
}
