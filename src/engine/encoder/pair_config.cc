#include "engine/encoder/pair_config.h"

#include <algorithm>
#include <cstdint>

#include "engine/model/config_file.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kHashDigits = 64;
// Room for [CLS], [SEP] and some words.
constexpr std::uint64_t kBlockTokensMin = 18;

struct WholeField {
  const char* key;
  std::uint64_t min;
  std::uint64_t max;
  std::size_t* to;
};

struct NumberField {
  const char* key;
  double min;
  double max;
  double* to;
};

struct TextField {
  const char* key;
  std::string* to;
};

bool IsHash(const std::string& text) {
  return text.size() == kHashDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Result<PairConfig> ReadPairConfig(const std::string& path, const EncoderConfig& base) {
  const Result<ConfigFile> file = ConfigFile::Open(path);
  if (!file) {
    return std::unexpected(file.error());
  }
  PairConfig config;
  for (const TextField& field :
       {TextField{"base", &config.base}, TextField{"base_sha256", &config.base_sha256}}) {
    Result<std::string> text = file->Text(field.key);
    if (!text) {
      return std::unexpected(text.error());
    }
    *field.to = std::move(*text);
  }
  if (!IsHash(config.base_sha256)) {
    return Fail(ErrorCode::kCorruptFile,
                path + ": 'base_sha256' is no SHA-256 in 64 lower-case hexadecimal digits",
                "install the trained screen again");
  }
  for (const WholeField& field :
       {WholeField{"split_layers", 0, base.layers - 1, &config.split_layers},
        WholeField{"policy_tokens_max", kBlockTokensMin, base.positions_max,
                   &config.policy_tokens_max},
        WholeField{"content_tokens_max", kBlockTokensMin, base.positions_max,
                   &config.content_tokens_max}}) {
    const Result<std::uint64_t> value = file->Whole(field.key, field.min, field.max);
    if (!value) {
      return std::unexpected(value.error());
    }
    *field.to = *value;
  }
  for (const NumberField& field : {NumberField{"threshold", 1e-6, 1 - 1e-6, &config.threshold},
                                   NumberField{"logit_scale", 1e-3, 1e3, &config.logit_scale},
                                   NumberField{"logit_offset", -1e3, 1e3, &config.logit_offset}}) {
    const Result<double> value = file->Number(field.key, field.min, field.max);
    if (!value) {
      return std::unexpected(value.error());
    }
    *field.to = *value;
  }
  return config;
}

}  // namespace safeguard::engine
