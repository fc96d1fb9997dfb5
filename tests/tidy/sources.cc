#include <array>
#include <fstream>
#include <string_view>

#include "tests/tidy/tidy.h"

namespace tidy {
namespace {

constexpr std::size_t kFileLinesMax = 500;
constexpr std::size_t kColumnsMax = 120;
constexpr int kFunctionLinesMax = 70;

// Libraries print nothing, never exit and never draw unseeded numbers.
constexpr std::array<std::string_view, 9> kBannedInLibraries = {
    "printf(", "std::cout", "std::cerr",  "exit(",  "abort(",
    "rand(",   "puts(",     "std::regex", "system("};

bool IsLibrary(const std::string& path) {
  return path.starts_with("src/") && !path.starts_with("src/apps/") &&
         path.find("_test.cc") == std::string::npos && path != "src/base/check.cc";
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Code without string literals and line comments: enough for finding calls and counting braces.
std::string Strip(const std::string& line) {
  std::string code;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
      continue;
    }
    const bool digit_separator = c == '\'' && i > 0 && IsWordCharacter(line[i - 1]);
    if (c == '"' || (c == '\'' && !digit_separator)) {
      quote = c;
    } else if (c == '/' && i + 1 < line.size() && line[i + 1] == '/') {
      break;
    } else {
      code += c;
    }
  }
  return code;
}

void CheckBanned(const std::string& path, int line, const std::string& code, Findings& findings) {
  for (const std::string_view call : kBannedInLibraries) {
    for (std::size_t at = code.find(call); at != std::string::npos; at = code.find(call, at + 1)) {
      if (at == 0 || !IsWordCharacter(code[at - 1])) {
        findings.push_back({path, line, "banned in libraries: " + std::string(call)});
      }
    }
  }
}

// The length of every brace block that opens at namespace level: functions, classes, tables.
// clang-tidy measures functions exactly; this catches them in builds without clang.
class BlockLength {
 public:
  void Line(const std::string& path, int line, const std::string& code, Findings& findings) {
    const bool opens_namespace = code.starts_with("namespace") || code.starts_with("extern \"C\"");
    if (depth_ == 0 && code.find('(') != std::string::npos) {
      has_parameters_ = true;
    }
    for (const char c : code) {
      if (c == '{' && !opens_namespace) {
        if (depth_++ == 0) {
          begin_ = line;
        }
      } else if (c == '}' && depth_ > 0) {
        --depth_;
        if (depth_ > 0) {
          continue;
        }
        if (has_parameters_ && line - begin_ + 1 > kFunctionLinesMax) {
          findings.push_back(
              {path, begin_, "function exceeds " + std::to_string(kFunctionLinesMax) + " lines"});
        }
        has_parameters_ = false;
      } else if (c == ';' && depth_ == 0) {
        has_parameters_ = false;
      }
    }
  }

 private:
  int depth_ = 0;
  int begin_ = 0;
  bool has_parameters_ = false;
};

// What will close a raw string that `line` opens and does not close; empty: there is none.
std::string OpenRawString(const std::string& line) {
  const std::size_t begin = line.find("R\"");
  const std::size_t parenthesis = begin == std::string::npos ? begin : line.find('(', begin);
  if (parenthesis == std::string::npos) {
    return "";
  }
  const std::string end = ")" + line.substr(begin + 2, parenthesis - begin - 2) + "\"";
  return line.find(end, parenthesis) == std::string::npos ? end : "";
}

// Columns as a person counts them: code points, not bytes.
std::size_t Columns(const std::string& line) {
  std::size_t columns = 0;
  for (const char c : line) {
    columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  }
  return columns;
}

bool HasUnownedNote(const std::string& line) {
  // Written in two halves so that this file does not find itself.
  for (const std::string& note : {std::string("TO") + "DO", std::string("FIX") + "ME"}) {
    if (line.find(note) != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

void CheckSource(const std::string& path, const std::vector<std::string>& lines,
                 Findings& findings) {
  BlockLength blocks;
  int number = 0;
  std::string raw_end;  // what closes the raw string that an earlier line opened
  for (const std::string& line : lines) {
    ++number;
    if (Columns(line) > kColumnsMax) {
      findings.push_back(
          {path, number, "line exceeds " + std::to_string(kColumnsMax) + " columns"});
    }
    if (HasUnownedNote(line)) {
      findings.push_back({path, number, "unfinished work: do it or drop the note"});
    }
    if (line.starts_with("#include ")) {
      const bool quoted = line[9] == '"';
      const std::size_t end = line.find(quoted ? '"' : '>', 10);
      CheckInclude(path, number, line.substr(10, end - 10), quoted, findings);
      continue;
    }
    if (!raw_end.empty()) {
      raw_end = line.find(raw_end) == std::string::npos ? raw_end : "";
      continue;
    }
    raw_end = OpenRawString(line);
    if (!raw_end.empty()) {
      continue;
    }
    const std::string code = Strip(line);
    if (IsLibrary(path)) {
      CheckBanned(path, number, code, findings);
    }
    blocks.Line(path, number, code, findings);
  }
  if (lines.size() > kFileLinesMax) {
    findings.push_back({path, number, "file exceeds " + std::to_string(kFileLinesMax) + " lines"});
  }
}

std::vector<std::string> ReadLines(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

}  // namespace tidy
