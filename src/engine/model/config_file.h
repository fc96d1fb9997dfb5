// Bounded reading of a checkpoint's config.json: every value is asked for by name with its range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::engine {

inline constexpr std::size_t kConfigFileBytesMax = 1 << 20;

// Immutable; may be read from several threads. Errors name the file and the key.
class ConfigFile {
 public:
  // A JSON object of at most kConfigFileBytesMax bytes. Missing: kNotFound; not JSON: kCorruptFile.
  static Result<ConfigFile> Open(const std::string& path);
  // `path` is only for messages.
  static Result<ConfigFile> Read(std::string path, std::string_view json);

  ConfigFile(ConfigFile&& other) noexcept;
  ConfigFile& operator=(ConfigFile&& other) noexcept;
  ~ConfigFile();

  [[nodiscard]] bool Has(std::string_view key) const;
  // Is there and not null.
  [[nodiscard]] bool HasValue(std::string_view key) const;
  // A whole number in [min, max].
  Result<std::uint64_t> Whole(std::string_view key, std::uint64_t min, std::uint64_t max) const;
  // A finite number in [min, max].
  Result<double> Number(std::string_view key, double min, double max) const;
  // A string.
  Result<std::string> Text(std::string_view key) const;
  // true or false.
  Result<bool> Flag(std::string_view key) const;
  // A list of at most `count_max` strings.
  Result<std::vector<std::string>> Texts(std::string_view key, std::size_t count_max) const;
  // An object, as a file of its own.
  Result<ConfigFile> Object(std::string_view key) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Document;
  ConfigFile(std::string path, std::unique_ptr<Document> document);

  std::string path_;
  std::unique_ptr<Document> document_;
};

}  // namespace safeguard::engine
