// config.json of both layouts, and the index of shards: one input is read as each.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "engine/model/config_file.h"
#include "engine/model/hugging_face/config_json.h"
#include "engine/model/hugging_face/shards.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace safeguard::engine;  // NOLINT(google-build-using-namespace): one function
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto index = ReadShardIndex("fuzz.index.json", text);
  CHECK(index || !index.error().message.empty());
  if (index) {
    CHECK(!index->files.empty() && std::ranges::is_sorted(index->files));
    for (const std::string& file : index->files) {
      CHECK(file.find('/') == std::string::npos && file.find("..") != 0);
    }
    for (const auto& [tensor, file] : index->shard) {
      CHECK(file < index->files.size());
    }
  }
  const auto file = ConfigFile::Read("fuzz.json", text);
  if (!file) {
    return 0;
  }
  for (const auto& config : {ReadHuggingFaceConfig(*file), ReadOriginalConfig(*file)}) {
    if (config) {
      CHECK(ConfigProblem(config->model).empty());
    } else {
      CHECK(!config.error().message.empty());
    }
  }
  return 0;
}
