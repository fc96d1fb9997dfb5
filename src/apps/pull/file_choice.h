// Which files of a repository are pulled. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "apps/pull/remote_file.h"
#include "base/result.h"

namespace safeguard::apps::pull {

inline constexpr std::size_t kChosenFilesMax = 500;

// Without globs: weights, configuration, tokenizer and chat template in the root of a safetensors
// repository; else its one GGUF model (all parts of it). Several GGUF models: kInvalidInput, with
// their names. With globs (fnmatch; * also crosses '/'): what any of them matches, at least one
// file each. In the order in which to fetch: small ones first.
Result<std::vector<RemoteFile>> ChooseFiles(const std::vector<RemoteFile>& files,
                                            const std::vector<std::string>& globs,
                                            const std::string& repository);

// "13.8 GB": decimal, as disks and download pages count.
std::string ByteText(std::uint64_t bytes);

}  // namespace safeguard::apps::pull
