// What the NAME or URL of `model pull` means. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::apps::pull {

struct PullSource {
  std::string endpoint;    // of a repository: scheme, host, port and path before the names
  std::string repository;  // "owner/name"; empty for the URL of a single file
  std::string revision;    // as asked for; "main" unless said otherwise
  std::string file;        // the one file that a URL into a repository names; may be empty
  std::string url;         // of a single file that stands in no repository; else empty

  // "openai/gpt-oss-safeguard-20b", or the URL.
  [[nodiscard]] std::string Name() const { return repository.empty() ? url : repository; }
  // Where a person reads about the repository; empty for a single file.
  [[nodiscard]] std::string Page() const {
    return repository.empty() ? "" : endpoint + "/" + repository;
  }
  // What the folder is called unless the user says otherwise.
  [[nodiscard]] std::string FolderName() const;
};

// `name`: a short name of ours ("20b", "safeguard-20b", "gpt-oss-20b", …), owner/name[@revision],
// the URL of a repository's page, of a folder or file in it, or of any other file. `revision`,
// where not empty, wins over none and must not contradict one in `name`. kInvalidInput otherwise.
Result<PullSource> ParsePullSource(const std::string& name, const std::string& revision,
                                   const std::string& endpoint);

}  // namespace safeguard::apps::pull
