// tidy_test ROOT            checks the repository
// tidy_test --self-test DIR injects one fault of each kind into DIR and expects each to be found
#include "tests/tidy/tidy.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace {

namespace fs = std::filesystem;

void Write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

struct Fault {
  const char* path;
  std::string text;
  const char* expected;
};

std::string LongFunction() {
  std::string text = "int F(int x) {\n";
  for (int i = 0; i < 80; ++i) {
    text += "  x += 1;\n";
  }
  return text + "  return x;\n}\n";
}

int SelfTest(const fs::path& root) {
  const Fault faults[] = {
      {"src/moderation/a.cc", "#include \"engine/encoder.h\"\n", "may not include"},
      {"src/judges/b.cc", "#include \"engine/text/bpe_merge.h\"\n", "is private to"},
      {"src/eval/c.cc", "#include <sodium.h>\n", "may be included only from"},
      {"src/base/d.cc", "void F() { std::printf(\"x\"); }\n", "banned in libraries"},
      {"src/base/e.cc", LongFunction(), "function exceeds"},
      {"src/base/f.cc", std::string(501, '\n'), "file exceeds"},
      {"src/base/g_test.cc", "\n", "it never runs"},
      {"src/base/h.cc", "// " + std::string(120, 'x') + "\n", "line exceeds"},
      {"src/base/i.cc", std::string("// TO") + "DO later\n", "unfinished work"},
      {"src/attic/j.cc", "\n", "missing in ARCHITECTURE.md"},
      {"src/base/utils/k.cc", "\n", "must say what is in it"},
  };
  int missed = 0;
  for (const Fault& fault : faults) {
    fs::remove_all(root);
    Write(root / "ARCHITECTURE.md", "base/ engine/ moderation/ judges/ eval/ apps/\n");
    Write(root / fault.path, fault.text);
    tidy::Findings findings;
    tidy::CheckTree(root, findings);
    bool found = false;
    for (const tidy::Finding& finding : findings) {
      found = found || finding.what.find(fault.expected) != std::string::npos;
    }
    if (!found) {
      std::fprintf(stderr, "not found: %s in %s\n", fault.expected, fault.path);
      ++missed;
    }
  }
  fs::remove_all(root);
  return missed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--self-test") {
    return SelfTest(argv[2]);
  }
  if (argc != 2) {
    std::fprintf(stderr, "usage: tidy_test ROOT | tidy_test --self-test FOLDER\n");
    return 2;
  }
  tidy::Findings findings;
  tidy::CheckTree(argv[1], findings);
  for (const tidy::Finding& finding : findings) {
    std::fprintf(stderr, "%s:%d: error: %s\n", finding.path.c_str(), finding.line,
                 finding.what.c_str());
  }
  return findings.empty() ? 0 : 1;
}
