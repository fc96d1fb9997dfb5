// Reader of GGUF, versions 2 and 3 (github.com/ggml-org/ggml, docs/gguf.md): metadata, then tensor
// descriptions, then aligned tensor data. The file is mapped; strings and bytes point into it. The
// header is checked whole before anything can be asked for: every length, count and offset against
// the file and against the limits below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "engine/model/gguf/gguf_types.h"
#include "engine/model/stored_tensor.h"

namespace safeguard::engine {

inline constexpr std::uint64_t kGgufMetadataMax = 65'536;  // keys
inline constexpr std::uint64_t kGgufTensorsMax = 100'000;
inline constexpr std::size_t kGgufNameBytesMax = 65'535;     // of a key or a tensor's name
inline constexpr std::uint64_t kGgufStringsMax = 8'000'000;  // in one array
inline constexpr int kGgufNestingMax = 4;                    // arrays in arrays
inline constexpr std::size_t kGgufDimensionsMax = 4;

// One value of the metadata.
struct GgufValue {
  std::string_view key;
  GgufType type = GgufType::kU8;
  GgufType element = GgufType::kU8;  // of an array
  std::uint64_t count = 0;           // of an array
  std::span<const std::byte> bytes;  // a scalar, a string's characters, or an array's elements
};

// Nothing where the value is of another kind.
std::optional<std::int64_t> WholeOf(const GgufValue& value);     // any whole number below 2^63
std::optional<double> NumberOf(const GgufValue& value);          // any number
std::optional<std::string_view> TextOf(const GgufValue& value);  // a string
std::optional<bool> FlagOf(const GgufValue& value);              // a bool
// The elements of an array of strings, or of whole numbers or bools.
std::optional<std::vector<std::string_view>> TextsOf(const GgufValue& value);
std::optional<std::vector<std::int64_t>> WholesOf(const GgufValue& value);

// Immutable; may be read from several threads.
class GgufFile {
 public:
  // A file that breaks the format: kCorruptFile, with the path.
  static Result<std::unique_ptr<GgufFile>> Open(const std::string& path);
  // Reads `bytes`, which must outlive the result; `path` is only for messages.
  static Result<std::unique_ptr<GgufFile>> Read(std::string path, std::span<const std::byte> bytes);

  // Null when the key is not there.
  [[nodiscard]] const GgufValue* Find(std::string_view key) const;

  [[nodiscard]] std::span<const GgufValue> metadata() const { return metadata_; }
  [[nodiscard]] std::span<const StoredTensor> tensors() const { return tensors_; }
  [[nodiscard]] std::uint32_t version() const { return version_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  GgufFile() = default;

  std::string path_;
  std::unique_ptr<MappedFile> file_;  // null when the bytes are the caller's
  std::span<const std::byte> bytes_;
  std::uint32_t version_ = 0;
  std::vector<GgufValue> metadata_;  // sorted by key
  std::vector<StoredTensor> tensors_;
};

}  // namespace safeguard::engine
