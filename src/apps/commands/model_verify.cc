#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/commands/model_files.h"
#include "apps/output/byte_size.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "apps/output/verdict_json.h"
#include "base/file.h"
#include "engine/model_files.h"

namespace safeguard::apps {
namespace {

using engine::ModelInfo;

constexpr std::size_t kHashListBytesMax = 1 << 20;

struct CheckedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::string expected;   // 64 digits, or "16d0f997...2427" where only the ends are known
  std::string published;  // the model that the expectation comes from; empty: the user's list
  std::string actual;
  std::string problem;  // empty: as expected
};

bool Matches(const std::string& expected, const std::string& actual) {
  const std::size_t gap = expected.find("...");
  if (gap == std::string::npos) {
    return expected == actual;
  }
  return actual.starts_with(expected.substr(0, gap)) && actual.ends_with(expected.substr(gap + 3));
}

// What `list` expects of the model's files, and of other files beside them.
Result<std::vector<CheckedFile>> ExpectedByList(const ModelInfo& info, const std::string& list) {
  const Result<std::string> text = ReadFile(list, kHashListBytesMax);
  if (!text) {
    return std::unexpected(text.error());
  }
  Result<std::vector<engine::ExpectedHash>> hashes = engine::ReadHashList(*text);
  if (!hashes) {
    hashes.error().message = list + ": " + hashes.error().message;
    return std::unexpected(std::move(hashes.error()));
  }
  std::vector<CheckedFile> files;
  for (const engine::ModelFileInfo& file : info.files) {
    const auto found = std::ranges::find(*hashes, FileName(file.path), &engine::ExpectedHash::file);
    files.push_back({file.path, file.bytes, found == hashes->end() ? "" : found->sha256, "", "",
                     found == hashes->end() ? "is not in " + list : ""});
  }
  const std::filesystem::path folder = std::filesystem::path(info.files[0].path).parent_path();
  for (const engine::ExpectedHash& hash : *hashes) {
    const std::string path = (folder / hash.file).string();
    if (std::ranges::find(files, path, &CheckedFile::path) == files.end()) {
      std::error_code error;
      const std::uintmax_t bytes = std::filesystem::file_size(path, error);
      files.push_back({path, error ? 0 : bytes, hash.sha256, "", "", error ? "is not there" : ""});
    }
  }
  return files;
}

std::vector<CheckedFile> ExpectedByPublisher(const ModelInfo& info) {
  std::vector<CheckedFile> files;
  for (const engine::ModelFileInfo& file : info.files) {
    const engine::PublishedFile* known = engine::FindPublished(FileName(file.path), file.bytes);
    if (known != nullptr) {
      files.push_back({file.path, file.bytes,
                       std::string(known->begins) + "..." + std::string(known->ends),
                       std::string(known->model), "", ""});
    }
  }
  return files;
}

// False: stopped.
Result<bool> Hash(std::vector<CheckedFile>& files, std::size_t threads, Console& console,
                  const std::atomic<bool>& stop) {
  std::vector<std::string> paths;
  std::vector<CheckedFile*> hashed;
  std::uint64_t bytes = 0;
  for (CheckedFile& file : files) {
    if (file.problem.empty()) {
      paths.push_back(file.path);
      hashed.push_back(&file);
      bytes += file.bytes;
    }
  }
  if (paths.empty()) {
    return true;
  }
  Result<std::vector<std::string>> digests = HashWithProgress(paths, bytes, threads, console, stop);
  if (!digests) {
    return std::unexpected(std::move(digests.error()));
  }
  for (std::size_t i = 0; i < digests->size(); ++i) {
    CheckedFile& file = *hashed[i];
    file.actual = (*digests)[i];
    if (!Matches(file.expected, file.actual)) {
      file.problem = "has SHA-256 " + file.actual + ", expected " + file.expected;
    }
  }
  return !digests->empty();
}

std::string Report(const ModelInfo& info, const std::vector<CheckedFile>& files, bool color) {
  std::uint64_t bytes = 0;
  for (const engine::ModelFileInfo& file : info.files) {
    bytes += file.bytes;
  }
  std::string out = fmt::format("{} {} tensors have the right name, type and shape ({}, {})\n",
                                Styled("ok   ", Style::kGreen, color), info.tensors.size(),
                                info.format, ByteSize(bytes));
  for (const engine::ModelTensor& tensor : info.tensors) {
    if (!tensor.used) {
      out += fmt::format("{} {} is no tensor of gpt-oss; it is not used\n",
                         Styled("note ", Style::kYellow, color), Printable(tensor.name));
    }
  }
  for (const CheckedFile& file : files) {
    const std::string name = Printable(FileName(file.path));
    const std::string source =
        file.published.empty() ? "the list" : file.published + " as published";
    out += file.problem.empty() ? fmt::format("{} {} has the SHA-256 of {}\n",
                                              Styled("ok   ", Style::kGreen, color), name, source)
                                : fmt::format("{} {} {}\n", Styled("wrong", Style::kRed, color),
                                              name, Printable(file.problem));
  }
  if (files.empty()) {
    out += fmt::format(
        "{} the files' hashes are not checked: none is known for them (give --sha256 FILE)\n",
        Styled("note ", Style::kYellow, color));
  }
  return out;
}

std::string ReportJson(const ModelInfo& info, const std::vector<CheckedFile>& files, bool ok) {
  nlohmann::ordered_json unused = nlohmann::ordered_json::array();
  for (const engine::ModelTensor& tensor : info.tensors) {
    if (!tensor.used) {
      unused.push_back(tensor.name);
    }
  }
  nlohmann::ordered_json checked = nlohmann::ordered_json::array();
  for (const CheckedFile& file : files) {
    checked.push_back({{"path", file.path},
                       {"expected", file.expected},
                       {"sha256", file.actual},
                       {"published", file.published},
                       {"ok", file.problem.empty()},
                       {"problem", file.problem}});
  }
  return JsonLine({{"ok", ok},
                   {"format", info.format},
                   {"tensors", info.tensors.size()},
                   {"unused_tensors", unused},
                   {"hashes", checked}}) +
         "\n";
}

}  // namespace

ExitCode RunModelVerify(const ModelVerifyArguments& arguments, Console& console,
                        const std::atomic<bool>& stop) {
  const Result<ModelInfo> info = engine::ReadModelInfo(arguments.path);
  if (!info) {
    if (arguments.json) {
      console.Out(JsonLine({{"ok", false}, {"problem", Describe(info.error())}}) + "\n");
    }
    return Fails(console, info.error(), ExitCode::kCannotRun);
  }
  Result<std::vector<CheckedFile>> files = arguments.sha256.empty()
                                               ? ExpectedByPublisher(*info)
                                               : ExpectedByList(*info, arguments.sha256);
  if (!files) {
    return Fails(console, files.error(), ExitCode::kUsage);
  }
  const Result<bool> hashed = Hash(*files, arguments.threads, console, stop);
  if (!hashed) {
    return Fails(console, hashed.error(), ExitCode::kCannotRun);
  }
  if (!*hashed) {
    return ExitCode::kInterrupted;
  }
  const bool ok =
      std::ranges::all_of(*files, [](const CheckedFile& file) { return file.problem.empty(); });
  console.Out(arguments.json ? ReportJson(*info, *files, ok)
                             : Report(*info, *files, UseColor(console, arguments.color)));
  return ok ? ExitCode::kSafe : ExitCode::kCannotRun;
}

}  // namespace safeguard::apps
