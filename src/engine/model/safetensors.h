// Reader of the safetensors format (github.com/huggingface/safetensors, "Format"): an 8-byte
// little-endian header length, a JSON header, then the tensors' bytes without gaps. The file is
// mapped, never copied. Everything in the header is checked before a tensor can be asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace safeguard::engine {

enum class Dtype : std::uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E4M3,
  kF8E5M2,
  kU16,
  kI16,
  kF16,
  kBF16,
  kU32,
  kI32,
  kF32,
  kU64,
  kI64,
  kF64,
};

// The name that the format uses: "F16", "BF16", ...
const char* ToString(Dtype dtype);
std::size_t BytesPerElement(Dtype dtype);

// The format's own limit is 100 MB of header; the others are ours.
inline constexpr std::size_t kSafetensorsHeaderBytesMax = 100'000'000;
inline constexpr std::size_t kSafetensorsTensorsMax = 1'000'000;
inline constexpr std::size_t kSafetensorsDimensionsMax = 8;

struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::kU8;
  std::vector<std::uint64_t> shape;  // empty for a scalar
  std::uint64_t begin = 0;           // offsets from the end of the header
  std::uint64_t end = 0;
};

// A tensor's bytes inside the mapping, little-endian, row-major and NOT aligned: the format puts
// them wherever the header happens to end.
struct Tensor {
  const TensorEntry* entry = nullptr;
  std::span<const std::byte> bytes;
};

// Immutable; may be read from several threads.
class Safetensors {
 public:
  // Maps `path`. A file that breaks the format: kCorruptFile, with the path and the tensor's name.
  static Result<std::unique_ptr<Safetensors>> Open(const std::string& path);

  // Reads `bytes`, which must outlive the result; `path` is only for messages.
  static Result<std::unique_ptr<Safetensors>> Read(std::string path,
                                                   std::span<const std::byte> bytes);

  // The tensor `name`, which must have one of `dtypes` and exactly `shape`.
  Result<Tensor> Find(std::string_view name, std::initializer_list<Dtype> dtypes,
                      std::initializer_list<std::uint64_t> shape) const;

  // The bytes of one of entries().
  [[nodiscard]] std::span<const std::byte> BytesOf(const TensorEntry& entry) const {
    return data_.subspan(entry.begin, entry.end - entry.begin);
  }

  // In the order of their bytes in the file.
  [[nodiscard]] std::span<const TensorEntry> entries() const { return entries_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  Safetensors() = default;

  std::string path_;
  std::unique_ptr<MappedFile> file_;  // null when the bytes are the caller's
  std::span<const std::byte> bytes_;  // the whole file
  std::span<const std::byte> data_;   // behind the header
  std::vector<TensorEntry> entries_;
  std::vector<const TensorEntry*> by_name_;
};

}  // namespace safeguard::engine
