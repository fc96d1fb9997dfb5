#include "judges/screen/tuned_config.h"

#include <nlohmann/json.hpp>

#include "base/file.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kConfigBytesMax = std::size_t{1} << 16;
constexpr std::size_t kHashDigits = 64;
constexpr const char* kMend = "install the trained screen again";

// A number of `json` in [min, max].
Status ReadNumber(const nlohmann::json& json, const std::string& path, const char* key, double min,
                  double max, double& to) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) {
    return Fail(ErrorCode::kCorruptFile, path + ": '" + key + "' is no number", kMend);
  }
  to = found->get<double>();
  if (!(to >= min && to <= max)) {
    return Fail(ErrorCode::kCorruptFile, path + ": '" + key + "' is outside its range", kMend);
  }
  return {};
}

}  // namespace

Result<TunedConfig> ReadTunedConfig(const std::string& path) {
  const Result<std::string> bytes = ReadFile(path, kConfigBytesMax);
  if (!bytes) {
    return std::unexpected(bytes.error());
  }
  const nlohmann::json json = nlohmann::json::parse(*bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return Fail(ErrorCode::kCorruptFile, path + " is no JSON object", kMend);
  }
  TunedConfig config;
  const auto kind = json.find("kind");
  if (kind == json.end() || *kind != "embedding") {
    return config;
  }
  config.tuned_encoder = true;
  config.scoring.plain_rules = true;
  for (const auto& [key, to] :
       {std::pair("base", &config.base), std::pair("base_sha256", &config.base_sha256)}) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_string()) {
      return Fail(ErrorCode::kCorruptFile, path + ": '" + key + "' is no text", kMend);
    }
    *to = found->get<std::string>();
  }
  if (config.base_sha256.size() != kHashDigits) {
    return Fail(ErrorCode::kCorruptFile, path + ": 'base_sha256' is no SHA-256", kMend);
  }
  for (const auto& [key, min, max, to] :
       {std::tuple("slope", 0.1, 100.0, &config.scoring.slope),
        std::tuple("safe_share", -2.0, 2.0, &config.scoring.safe_share),
        std::tuple("margin", -2.0, 2.0, &config.scoring.margin)}) {
    if (Status status = ReadNumber(json, path, key, min, max, *to); !status) {
      return std::unexpected(status.error());
    }
  }
  // Screens from before there was this number go by the nearest anchor alone.
  if (json.contains("nearest_share")) {
    if (Status status =
            ReadNumber(json, path, "nearest_share", 0.0, 1.0, config.scoring.nearest_share);
        !status) {
      return std::unexpected(status.error());
    }
  }
  return config;
}

}  // namespace safeguard::judges
