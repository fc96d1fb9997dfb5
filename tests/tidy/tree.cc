#include <algorithm>
#include <set>

#include "tests/tidy/tidy.h"

namespace tidy {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> kForbiddenFolders = {"utils", "util", "common", "helpers", "misc"};

std::string Text(const fs::path& file) {
  std::string text;
  for (const std::string& line : ReadLines(file)) {
    text += line + "\n";
  }
  return text;
}

// The CMakeLists.txt of the file's folder or of one above it.
bool IsListed(const fs::path& root, const fs::path& file) {
  const std::string name = file.filename().string();
  const std::string stem = file.stem().string();
  const std::size_t cut = stem.rfind("_fuzzer");
  const std::string fuzzer =
      cut == std::string::npos ? "" : "safeguard_fuzzer(" + stem.substr(0, cut);
  for (fs::path folder = file.parent_path();; folder = folder.parent_path()) {
    const fs::path lists = folder / "CMakeLists.txt";
    if (fs::exists(lists)) {
      const std::string text = Text(lists);
      if (text.find(name) != std::string::npos ||
          (!fuzzer.empty() && text.find(fuzzer) != std::string::npos)) {
        return true;
      }
    }
    if (folder == root) {
      return false;
    }
  }
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.ends_with(end);
}

void CheckFolder(const fs::path& root, const fs::path& folder, const std::string& architecture,
                 Findings& findings) {
  const std::string path = fs::relative(folder, root).generic_string();
  if (kForbiddenFolders.contains(folder.filename().string())) {
    findings.push_back({path, 1, "a folder's name must say what is in it"});
  }
  if (folder.parent_path() == root / "src" &&
      architecture.find(folder.filename().string() + "/") == std::string::npos) {
    findings.push_back({path, 1, "module is missing in ARCHITECTURE.md"});
  }
}

}  // namespace

void CheckTree(const fs::path& root, Findings& findings) {
  const std::string architecture = Text(root / "ARCHITECTURE.md");
  for (const char* top : {"src", "tests", "fuzz", "bench"}) {
    if (!fs::exists(root / top)) {
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const fs::path& file = entry.path();
      const std::string path = fs::relative(file, root).generic_string();
      const std::string name = file.filename().string();
      if (entry.is_directory()) {
        CheckFolder(root, file, architecture, findings);
        continue;
      }
      const bool source = file.extension() == ".cc" || file.extension() == ".h";
      if (source) {
        CheckSource(path, ReadLines(file), findings);
      }
      const bool test = EndsWith(name, "_test.cc") || EndsWith(name, "_fuzzer.cc") ||
                        (path.starts_with("tests/") && EndsWith(name, "_test.sh"));
      if (test && !IsListed(root, file)) {
        findings.push_back({path, 1, "no CMakeLists.txt names this test: it never runs"});
      }
    }
  }
}

}  // namespace tidy
