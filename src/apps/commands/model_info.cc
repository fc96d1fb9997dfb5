#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/model_files.h"
#include "apps/output/byte_progress.h"
#include "apps/output/byte_size.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "engine/model_files.h"

namespace safeguard::apps {
namespace {

using engine::ModelInfo;
using engine::ModelTensor;

std::string ShapeText(const std::vector<std::uint64_t>& shape) {
  return fmt::format("{}", fmt::join(shape, " x "));
}

// 20914757184 as "20.9 billion".
std::string CountText(std::uint64_t count) {
  if (count >= 1'000'000'000) {
    return fmt::format("{:.1f} billion", static_cast<double>(count) / 1e9);
  }
  return count >= 1'000'000 ? fmt::format("{:.1f} million", static_cast<double>(count) / 1e6)
                            : std::to_string(count);
}

std::string SlidingText(const std::vector<bool>& sliding) {
  const auto count = std::ranges::count(sliding, true);
  return fmt::format("{} sliding, {} full", count, std::ssize(sliding) - count);
}

std::string SettingsText(const ModelInfo& info, bool color) {
  std::string out;
  const auto line = [&out, color](const std::string& what, const std::string& value) {
    out += Styled(fmt::format("{:<24}", what), Style::kDim, color) + Printable(value) + "\n";
  };
  line("format", info.format);
  line("parameters", CountText(info.parameters));
  for (const engine::ModelSetting& setting : info.settings) {
    line(setting.what, fmt::format("{:g}", setting.value) == fmt::format("{}", setting.value)
                           ? fmt::format("{:g}", setting.value)
                           : fmt::format("{:.7g}", setting.value));
  }
  line("attention layers", SlidingText(info.sliding));
  line("tokenizer", info.tokenizer);
  return out;
}

// One row a type: how many tensors, how many bytes.
std::string TypesTable(const ModelInfo& info, std::size_t width, bool color) {
  std::map<std::string, std::pair<std::size_t, std::uint64_t>> types;
  for (const ModelTensor& tensor : info.tensors) {
    ++types[tensor.type].first;
    types[tensor.type].second += tensor.bytes;
  }
  std::vector<std::vector<Cell>> rows;
  rows.reserve(types.size());
  for (const auto& [type, sum] : types) {
    rows.push_back({{Printable(type)}, {std::to_string(sum.first)}, {ByteSize(sum.second)}});
  }
  return RenderTable({{"TYPE"}, {"TENSORS", true}, {"SIZE", true}}, rows, width, color);
}

std::string TensorsTable(const ModelInfo& info, std::size_t width, bool color) {
  std::vector<std::vector<Cell>> rows;
  rows.reserve(info.tensors.size());
  for (const ModelTensor& tensor : info.tensors) {
    rows.push_back({{Printable(tensor.name), tensor.used ? Style::kPlain : Style::kYellow},
                    {Printable(tensor.type)},
                    {ShapeText(tensor.shape)},
                    {ByteSize(tensor.bytes)},
                    {Printable(tensor.file)}});
  }
  return RenderTable({{"TENSOR"}, {"TYPE"}, {"SHAPE"}, {"SIZE", true}, {"FILE", false, true}}, rows,
                     width, color);
}

std::string FilesTable(const ModelInfo& info, const std::vector<std::string>& hashes,
                       std::size_t width, bool color) {
  std::vector<std::vector<Cell>> rows;
  rows.reserve(info.files.size());
  for (std::size_t i = 0; i < info.files.size(); ++i) {
    rows.push_back({{Printable(FileName(info.files[i].path))},
                    {ByteSize(info.files[i].bytes)},
                    {hashes.empty() ? "" : hashes[i]}});
  }
  return RenderTable({{"FILE"}, {"SIZE", true}, {hashes.empty() ? "" : "SHA-256"}}, rows,
                     std::max<std::size_t>(width, 130), color);
}

nlohmann::ordered_json InfoJson(const ModelInfo& info, const std::vector<std::string>& hashes) {
  nlohmann::ordered_json config;
  for (const engine::ModelSetting& setting : info.settings) {
    const auto whole = static_cast<std::uint64_t>(setting.value);
    if (static_cast<double>(whole) == setting.value) {
      config[setting.key] = whole;
    } else {
      config[setting.key] = setting.value;
    }
  }
  config["sliding"] = info.sliding;
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < info.files.size(); ++i) {
    files.push_back({{"path", info.files[i].path}, {"bytes", info.files[i].bytes}});
    if (!hashes.empty()) {
      files.back()["sha256"] = hashes[i];
    }
  }
  nlohmann::ordered_json tensors = nlohmann::ordered_json::array();
  for (const ModelTensor& tensor : info.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"type", tensor.type},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes},
                       {"file", tensor.file},
                       {"used", tensor.used}});
  }
  return {{"format", info.format}, {"parameters", info.parameters},
          {"config", config},      {"tokenizer", info.tokenizer},
          {"files", files},        {"tensors", tensors}};
}

}  // namespace

std::string FileName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

Result<std::vector<std::string>> HashWithProgress(const std::vector<std::string>& paths,
                                                  std::uint64_t bytes, std::size_t threads,
                                                  Console& console, const std::atomic<bool>& stop) {
  ByteProgress progress(console, "Hashing", bytes);
  return engine::HashFiles(paths, threads, [&](std::uint64_t done) {
    progress.Update(done);
    return !stop.load();
  });
}

ExitCode RunModelInfo(const ModelInfoArguments& arguments, Console& console,
                      const std::atomic<bool>& stop) {
  const Result<ModelInfo> info = engine::ReadModelInfo(arguments.path);
  if (!info) {
    return Fails(console, info.error(), ExitCode::kCannotRun);
  }
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;
  for (const engine::ModelFileInfo& file : info->files) {
    paths.push_back(file.path);
    bytes += file.bytes;
  }
  std::vector<std::string> hashes;
  if (arguments.hashes) {
    Result<std::vector<std::string>> hashed =
        HashWithProgress(paths, bytes, arguments.threads, console, stop);
    if (!hashed) {
      return Fails(console, hashed.error(), ExitCode::kCannotRun);
    }
    if (hashed->empty()) {
      return ExitCode::kInterrupted;
    }
    hashes = std::move(*hashed);
  }
  if (arguments.json) {
    console.Out(JsonLine(InfoJson(*info, hashes)) + "\n");
    return ExitCode::kSafe;
  }
  const bool color = UseColor(console, arguments.color);
  const std::size_t width = console.columns();
  std::string out = SettingsText(*info, color) + "\n" + TypesTable(*info, width, color) + "\n" +
                    FilesTable(*info, hashes, width, color);
  if (arguments.tensors) {
    out += "\n" + TensorsTable(*info, width, color);
  }
  console.Out(out);
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
