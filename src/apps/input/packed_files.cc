#include "apps/input/packed_files.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "apps/output/display_text.h"
#include "base/cache_folder.h"

namespace safeguard::apps {
namespace {

bool Off(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && std::string_view(value) == "off";
}

void Note(const std::string& note) {
  static_cast<void>(std::fputs(("safeguard: " + Printable(note) + "\n").c_str(), stderr));
}

}  // namespace

engine::PackedFileOptions PackedFiles(bool wanted) {
  engine::PackedFileOptions options;
  options.on_note = Note;
  if (!wanted || Off("SAFEGUARD_PACKED") || Off("SAFEGUARD_CACHE")) {
    return options;
  }
  options.beside_model = true;
  if (const std::string cache = DefaultCacheFolder(); !cache.empty()) {
    options.cache_folder = cache + "/packed";
  }
  return options;
}

std::string PackedFilesText() {
  const engine::PackedFileOptions options = PackedFiles(true);
  if (!options.wanted()) {
    return "not kept: SAFEGUARD_PACKED or SAFEGUARD_CACHE is off";
  }
  return options.cache_folder.empty() ? "kept beside the model"
                                      : "kept beside the model, else in " + options.cache_folder;
}

}  // namespace safeguard::apps
