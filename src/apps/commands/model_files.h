// What the `model` commands share.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/output/console.h"
#include "base/result.h"

namespace safeguard::apps {

// The SHA-256 of each file, behind a progress bar over `bytes`. Empty when `stop` was set.
Result<std::vector<std::string>> HashWithProgress(const std::vector<std::string>& paths,
                                                  std::uint64_t bytes, std::size_t threads,
                                                  Console& console, const std::atomic<bool>& stop);

// The last part of a path.
std::string FileName(const std::string& path);

}  // namespace safeguard::apps
