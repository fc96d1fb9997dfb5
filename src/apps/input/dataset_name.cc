#include "apps/input/dataset_name.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "base/gzip.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kHeadBytes = std::size_t{64} << 10;

bool HasAll(const nlohmann::json& object, std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (!object.contains(key)) {
      return false;
    }
  }
  return true;
}

// The first line as JSON; discarded when it is something else.
std::string FromJson(const nlohmann::json& object) {
  // Labels that are missing in one line of OpenAI's set stand in another: few are in all.
  constexpr auto kOpenAi = std::to_array<std::string_view>({"prompt", "S", "H", "V", "HR", "SH"});
  constexpr auto kGolden = std::to_array<std::string_view>({"id", "expected"});
  if (!object.is_object()) {
    return "generic";
  }
  if (HasAll(object, kOpenAi)) {
    return "openai-moderation";
  }
  if (object.contains("data") && object.contains("expected_triggers") &&
      object["expected_triggers"].is_object()) {
    return "guardrails";
  }
  const bool outcome = HasAll(object, kGolden) &&
                       (object["expected"] == "violation" || object["expected"] == "safe");
  return outcome ? "golden" : "generic";
}

// The first bytes of the file, or of what is packed in it; empty when it cannot be read.
std::string Head(const std::string& path) {
  std::unique_ptr<std::istream> in = std::make_unique<std::ifstream>(path, std::ios::binary);
  if (in->get() == 0x1F && in->get() == 0x8B) {
    auto unpacked = OpenGzip(path);
    if (!unpacked) {
      return {};
    }
    in = std::move(*unpacked);
  } else {
    in->clear();
    in->seekg(0);
  }
  std::string head(kHeadBytes, '\0');
  in->read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(in->gcount(), 0)));
  return head;
}

}  // namespace

Result<std::string> GuessDatasetName(const std::string& path) {
  std::error_code ignored;  // a folder that cannot be looked into is told by the reader
  if (std::filesystem::is_directory(path, ignored)) {
    return Fail(ErrorCode::kInvalidInput, path + " is a directory",
                "name a file in it, or say what it is with --format");
  }
  const std::string head = Head(path);
  const std::string line = head.substr(0, head.find('\n'));
  if (line.starts_with("{")) {
    return FromJson(nlohmann::json::parse(line, nullptr, false));
  }
  const auto has = [&line](std::string_view text) { return line.find(text) != std::string::npos; };
  if (has("human_annotation") && has("toxicity") && has("user_input")) {
    return std::string("toxicchat");
  }
  if (has("functionality") && has("test_case") && has("label_gold")) {
    return std::string("hatecheck");
  }
  if (has("prompt") && has("type") && has("focus") && has("note")) {
    return std::string("xstest");
  }
  return std::string("generic");
}

}  // namespace safeguard::apps
