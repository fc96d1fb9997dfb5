#include "engine/model/config_file.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"

namespace safeguard::engine {
namespace {

constexpr const char* kHint = "download the model again, or correct the file";

std::unexpected<Error> Wrong(const std::string& path, std::string_view key,
                             const std::string& why) {
  return Fail(ErrorCode::kCorruptFile, path + ": '" + std::string(key) + "' " + why, kHint);
}

}  // namespace

struct ConfigFile::Document {
  nlohmann::json json;
};

ConfigFile::ConfigFile(std::string path, std::unique_ptr<Document> document)
    : path_(std::move(path)), document_(std::move(document)) {}
ConfigFile::ConfigFile(ConfigFile&& other) noexcept = default;
ConfigFile& ConfigFile::operator=(ConfigFile&& other) noexcept = default;
ConfigFile::~ConfigFile() = default;

Result<ConfigFile> ConfigFile::Open(const std::string& path) {
  Result<std::string> json = ReadFile(path, kConfigFileBytesMax);
  if (!json) {
    return std::unexpected(std::move(json.error()));
  }
  return Read(path, *json);
}

Result<ConfigFile> ConfigFile::Read(std::string path, std::string_view json) {
  if (json.size() > kConfigFileBytesMax) {
    return Fail(ErrorCode::kLimit, path + " is larger than 1048576 bytes", kHint);
  }
  auto document = std::make_unique<Document>();
  document->json = nlohmann::json::parse(json, nullptr, false);
  if (!document->json.is_object()) {
    return Fail(ErrorCode::kCorruptFile, path + " is not a JSON object", kHint);
  }
  return ConfigFile(std::move(path), std::move(document));
}

bool ConfigFile::Has(std::string_view key) const {
  return document_->json.contains(key);
}

bool ConfigFile::HasValue(std::string_view key) const {
  const auto found = document_->json.find(key);
  return found != document_->json.end() && !found->is_null();
}

Result<std::uint64_t> ConfigFile::Whole(std::string_view key, std::uint64_t min,
                                        std::uint64_t max) const {
  const auto found = document_->json.find(key);
  if (found == document_->json.end()) {
    return Wrong(path_, key, "is missing");
  }
  const std::string range =
      "is not a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  if (!found->is_number_unsigned()) {
    return Wrong(path_, key, range);
  }
  const auto value = found->get<std::uint64_t>();
  if (value < min || value > max) {
    return Wrong(path_, key, range + ": " + std::to_string(value));
  }
  return value;
}

Result<double> ConfigFile::Number(std::string_view key, double min, double max) const {
  const auto found = document_->json.find(key);
  if (found == document_->json.end()) {
    return Wrong(path_, key, "is missing");
  }
  if (!found->is_number()) {
    return Wrong(path_, key, "is not a number");
  }
  const auto value = found->get<double>();
  if (!std::isfinite(value) || value < min || value > max) {
    return Wrong(path_, key, "is out of range: " + std::to_string(value));
  }
  return value;
}

Result<std::string> ConfigFile::Text(std::string_view key) const {
  const auto found = document_->json.find(key);
  if (found == document_->json.end()) {
    return Wrong(path_, key, "is missing");
  }
  if (!found->is_string()) {
    return Wrong(path_, key, "is not a string");
  }
  return found->get<std::string>();
}

Result<bool> ConfigFile::Flag(std::string_view key) const {
  const auto found = document_->json.find(key);
  if (found == document_->json.end() || !found->is_boolean()) {
    return Wrong(path_, key, "is not true or false");
  }
  return found->get<bool>();
}

Result<std::vector<std::string>> ConfigFile::Texts(std::string_view key,
                                                   std::size_t count_max) const {
  const auto found = document_->json.find(key);
  if (found == document_->json.end() || !found->is_array() || found->size() > count_max) {
    return Wrong(path_, key, "is not a list of at most " + std::to_string(count_max) + " strings");
  }
  std::vector<std::string> texts;
  for (const nlohmann::json& text : *found) {
    if (!text.is_string()) {
      return Wrong(path_, key, "is not a list of strings");
    }
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Result<ConfigFile> ConfigFile::Object(std::string_view key) const {
  const auto found = document_->json.find(key);
  if (found == document_->json.end() || !found->is_object()) {
    return Wrong(path_, key, "is not an object");
  }
  auto document = std::make_unique<Document>();
  document->json = *found;
  return ConfigFile(path_, std::move(document));
}

}  // namespace safeguard::engine
