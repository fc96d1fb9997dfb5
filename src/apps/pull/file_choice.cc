#include "apps/pull/file_choice.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace safeguard::apps::pull {
namespace {

constexpr std::size_t kGlobBytesMax = 256;
constexpr std::size_t kNamesShown = 12;

bool Matches(const std::string& glob, const std::string& path) {
  return ::fnmatch(glob.c_str(), path.c_str(), 0) == 0;
}

// What the engine reads, beside the weights.
bool IsCompanion(const std::string& path) {
  return path == "config.json" || path == "generation_config.json" ||
         path == "special_tokens_map.json" || path == "chat_template.jinja" ||
         path.ends_with(".safetensors.index.json") || Matches("tokenizer*.json", path);
}

// "a-00002-of-00003.gguf" and its brothers are one model: "a".
std::string GgufModel(const std::string& path) {
  constexpr std::string_view kDigits = "[0-9][0-9][0-9][0-9][0-9]";
  const std::string ending = "-" + std::string(kDigits) + "-of-" + std::string(kDigits) + ".gguf";
  constexpr std::size_t kEndingBytes = std::string_view("-00001-of-00003.gguf").size();
  return Matches("*" + ending, path) ? path.substr(0, path.size() - kEndingBytes) : path;
}

std::string Names(const std::map<std::string, std::uint64_t>& sizes) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& [name, bytes] : sizes) {
    if (++shown > kNamesShown) {
      return text + fmt::format(", and {} more", sizes.size() - kNamesShown);
    }
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", name, ByteText(bytes));
  }
  return text;
}

std::string Names(const std::vector<RemoteFile>& files) {
  std::map<std::string, std::uint64_t> sizes;
  for (const RemoteFile& file : files) {
    sizes[file.path] = file.size;
  }
  return Names(sizes);
}

Result<std::vector<RemoteFile>> ChooseGguf(const std::vector<RemoteFile>& files,
                                           const std::string& repository) {
  std::vector<RemoteFile> chosen;
  std::map<std::string, std::uint64_t> models;
  for (const RemoteFile& file : files) {
    if (file.path.ends_with(".gguf")) {
      models[GgufModel(file.path)] += file.size;
      chosen.push_back(file);
    }
  }
  if (models.size() > 1) {
    return Fail(ErrorCode::kInvalidInput,
                repository + " holds several GGUF models: " + Names(models),
                "name one with --include, as in --include '" + models.begin()->first + "*'");
  }
  if (models.empty()) {
    return Fail(ErrorCode::kInvalidInput,
                repository + " has neither safetensors in its root nor a GGUF file" +
                    (files.empty() ? std::string(": it is empty") : ", only " + Names(files)),
                "name the files to pull with --include GLOB");
  }
  return chosen;
}

Result<std::vector<RemoteFile>> ChooseByGlob(const std::vector<RemoteFile>& files,
                                             const std::vector<std::string>& globs,
                                             const std::string& repository) {
  std::set<std::string> paths;
  for (const std::string& glob : globs) {
    if (glob.empty() || glob.size() > kGlobBytesMax) {
      return Fail(ErrorCode::kInvalidInput, "--include is empty or longer than 256 bytes",
                  "write it as in --include '*.gguf'");
    }
    bool any = false;
    for (const RemoteFile& file : files) {
      if (Matches(glob, file.path)) {
        any = true;
        paths.insert(file.path);
      }
    }
    if (!any) {
      std::string message = "no file of " + repository;
      message += " matches --include " + glob;
      return Fail(ErrorCode::kInvalidInput, std::move(message),
                  files.empty() ? "the repository is empty" : "there are " + Names(files));
    }
  }
  std::vector<RemoteFile> chosen;
  std::ranges::copy_if(files, std::back_inserter(chosen),
                       [&paths](const RemoteFile& file) { return paths.contains(file.path); });
  return chosen;
}

// "a" cannot be both a file and the folder of "a/b".
Status CheckTogether(const std::vector<RemoteFile>& chosen) {
  std::set<std::string> paths;
  for (const RemoteFile& file : chosen) {
    paths.insert(file.path);
  }
  for (const RemoteFile& file : chosen) {
    for (std::size_t slash = file.path.find('/'); slash != std::string::npos;
         slash = file.path.find('/', slash + 1)) {
      if (paths.contains(file.path.substr(0, slash))) {
        return Fail(ErrorCode::kCorruptFile, file.path + " is listed inside what is itself a file",
                    "the list is refused; check HF_ENDPOINT");
      }
    }
  }
  return {};
}

}  // namespace

Result<std::vector<RemoteFile>> ChooseFiles(const std::vector<RemoteFile>& files,
                                            const std::vector<std::string>& globs,
                                            const std::string& repository) {
  Result<std::vector<RemoteFile>> chosen = std::vector<RemoteFile>();
  if (!globs.empty()) {
    chosen = ChooseByGlob(files, globs, repository);
  } else {
    const auto is_weights = [](const RemoteFile& file) {
      return file.path.find('/') == std::string::npos && file.path.ends_with(".safetensors");
    };
    if (std::ranges::any_of(files, is_weights)) {
      std::ranges::copy_if(files, std::back_inserter(*chosen), [&](const RemoteFile& file) {
        return is_weights(file) ||
               (file.path.find('/') == std::string::npos && IsCompanion(file.path));
      });
    } else {
      chosen = ChooseGguf(files, repository);
    }
  }
  if (!chosen) {
    return chosen;
  }
  if (chosen->size() > kChosenFilesMax) {
    return Fail(ErrorCode::kLimit,
                fmt::format("{} files are more than the {} that a pull takes", chosen->size(),
                            kChosenFilesMax),
                "narrow them with --include GLOB");
  }
  const Status together = CheckTogether(*chosen);
  if (!together) {
    return std::unexpected(together.error());
  }
  std::ranges::sort(*chosen, [](const RemoteFile& a, const RemoteFile& b) {
    constexpr std::uint64_t kSmall = std::uint64_t{64} << 20;
    return std::pair(a.size > kSmall, std::string_view(a.path)) <
           std::pair(b.size > kSmall, std::string_view(b.path));
  });
  return chosen;
}

std::string ByteText(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) {
    return fmt::format("{} B", bytes);
  }
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace safeguard::apps::pull
