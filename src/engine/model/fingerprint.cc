#include "engine/model/fingerprint.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>

#include "base/file.h"
#include "base/hash.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kEnds = std::size_t{1} << 20;
constexpr std::size_t kSample = 4096;
constexpr std::size_t kSamples = 256;

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<std::string> Fingerprint(std::span<const std::string> files) {
  std::string digest;
  for (const std::string& path : files) {
    const Result<std::unique_ptr<MappedFile>> file = MappedFile::Open(path);
    if (!file) {
      return std::unexpected(file.error());
    }
    const std::span<const std::byte> bytes = (*file)->bytes();
    std::string sample = std::filesystem::path(path).filename().string() + "\n" +
                         std::to_string(bytes.size()) + "\n";
    sample += Text(bytes.first(std::min(bytes.size(), kEnds)));
    sample += Text(bytes.last(std::min(bytes.size(), kEnds)));
    const std::size_t stride = bytes.size() / kSamples;
    for (std::size_t i = 0; i < kSamples && stride > kSample; ++i) {
      sample += Text(bytes.subspan(i * stride, kSample));
    }
    digest += Blake2bHex(sample);
  }
  return Blake2bHex(digest);
}

Result<std::string> FileTimes(std::span<const std::string> files) {
  std::string times;
  for (const std::string& path : files) {
    std::error_code error;
    const auto time = std::filesystem::last_write_time(path, error);
    if (error) {
      return Fail(ErrorCode::kUnavailable, path + ": " + error.message());
    }
    const auto system = std::chrono::file_clock::to_sys(time).time_since_epoch();
    times += std::to_string(std::chrono::floor<std::chrono::seconds>(system).count()) + "\n";
  }
  return times;
}

}  // namespace safeguard::engine
