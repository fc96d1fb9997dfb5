#include "apps/pull/checksum.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "apps/pull/pull_folder.h"
#include "base/check.h"

namespace safeguard::apps::pull {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

using Digest = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

std::string Finish(EVP_MD_CTX* context) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  CHECK(EVP_DigestFinal_ex(context, bytes.data(), &size) == 1);
  constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += digits[bytes[i] >> 4];
    hex += digits[bytes[i] & 15];
  }
  return hex;
}

}  // namespace

std::string Checksum::Text() const {
  switch (kind) {
    case ChecksumKind::kSha256:
      return "sha256:" + hex;
    case ChecksumKind::kGitSha1:
      return "git-sha1:" + hex;
    case ChecksumKind::kNone:
      break;
  }
  return "";
}

Result<Checksum> ParseChecksum(ChecksumKind kind, std::string_view hex) {
  const std::size_t digits = kind == ChecksumKind::kSha256 ? 64 : 40;
  const bool good = hex.size() == digits && std::ranges::all_of(hex, [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                    });
  if (!good) {
    return Fail(ErrorCode::kCorruptFile, "not a checksum: " + std::string(hex.substr(0, 100)));
  }
  return Checksum{kind, std::string(hex)};
}

Result<Checksum> ChecksumOfFile(const std::string& path, ChecksumKind kind,
                                std::atomic<std::uint64_t>& hashed, const std::atomic<bool>& stop) {
  CHECK(kind != ChecksumKind::kNone);
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    return FileError("cannot read", path, errno);
  }
  const Digest context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const EVP_MD* algorithm = kind == ChecksumKind::kSha256 ? EVP_sha256() : EVP_sha1();
  CHECK(context != nullptr);
  CHECK(EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
  if (kind == ChecksumKind::kGitSha1) {
    const std::string header = "blob " + std::to_string(status.st_size);
    CHECK(EVP_DigestUpdate(context.get(), header.c_str(), header.size() + 1) == 1);
  }
  std::vector<char> buffer(kReadBytes);
  while (true) {
    if (stop.load()) {
      return Fail(ErrorCode::kUnavailable, "stopped");
    }
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return FileError("cannot read", path, errno);
    }
    if (count == 0) {
      return Checksum{kind, Finish(context.get())};
    }
    const auto size = static_cast<std::size_t>(count);
    CHECK(EVP_DigestUpdate(context.get(), buffer.data(), size) == 1);
    hashed += size;
  }
}

}  // namespace safeguard::apps::pull
