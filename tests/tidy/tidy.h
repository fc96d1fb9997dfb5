// Checks what a compiler does not: who may include whom, how long things may be, which calls are
// banned, and that every test is listed. Each finding is "file:line: error: what".
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tidy {

struct Finding {
  std::string path;
  int line;
  std::string what;
};

using Findings = std::vector<Finding>;

// Include directions and third-party libraries, from the tables in layers.cc.
void CheckInclude(const std::string& path, int line, const std::string& include, bool quoted,
                  Findings& findings);

// Everything that can be seen in one source file: sizes, functions, banned calls, includes.
// `path` is relative to the repository, e.g. "src/base/file.cc".
void CheckSource(const std::string& path, const std::vector<std::string>& lines,
                 Findings& findings);

// Every *_test.cc and *_fuzzer.cc under `root` is named by a CMakeLists.txt; every module folder
// is in ARCHITECTURE.md.
void CheckTree(const std::filesystem::path& root, Findings& findings);

std::vector<std::string> ReadLines(const std::filesystem::path& file);

}  // namespace tidy
