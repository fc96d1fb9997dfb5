#include <utility>

#include "engine/synth/file_headers.h"

namespace safeguard::engine {
namespace {

const char* DtypeOf(SourceType type) {
  switch (type) {
    case SourceType::kBF16:
      return "BF16";
    case SourceType::kF16:
      return "F16";
    case SourceType::kF32:
      return "F32";
    default:
      return "U8";
  }
}

}  // namespace

PlannedFile PlanSafetensorsFile(std::string path, std::vector<PlannedTensor> tensors) {
  PlannedFile file;
  file.path = std::move(path);
  std::string json = R"({"__metadata__":{"format":"pt"})";
  std::uint64_t offset = 0;
  for (const PlannedTensor& tensor : tensors) {
    std::string shape;
    for (const std::uint64_t dimension : tensor.shape) {
      shape += (shape.empty() ? "" : ",") + std::to_string(dimension);
    }
    const std::uint64_t end = offset + tensor.bytes();
    json += ",\"" + tensor.name + R"(":{"dtype":")" + DtypeOf(tensor.sources[0].type) +
            R"(","shape":[)" + shape + R"(],"data_offsets":[)" + std::to_string(offset) + "," +
            std::to_string(end) + "]}";
    file.offsets.push_back(offset);
    offset = end;
  }
  json += "}";
  json.append((8 - json.size() % 8) % 8, ' ');
  for (int i = 0; i < 8; ++i) {
    file.header += static_cast<char>(json.size() >> (8 * i) & 0xFF);
  }
  file.header += json;
  for (std::uint64_t& begin : file.offsets) {
    begin += file.header.size();
  }
  file.bytes = file.header.size() + offset;
  file.tensors = std::move(tensors);
  return file;
}

}  // namespace safeguard::engine
