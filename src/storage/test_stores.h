// What the store tests share: a folder of its own, and small policies.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "moderation/policy_store.h"

namespace safeguard::storage {

// In memory where that can be had: these tests wait for the disk often.
class TestFolder {
 public:
  TestFolder() {
    const std::filesystem::path memory = "/dev/shm";
    const bool in_memory = ::access(memory.c_str(), W_OK) == 0;
    const std::filesystem::path root = in_memory ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (root / "safeguard-store.XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestFolder() {
    std::error_code ignored;  // a test that made it unremovable has failed already
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string PolicyText(const std::string& rule) {
  return "# Spam\n\n## Violates\n- SP1 " + rule + "\n";
}

inline moderation::Action By(const std::string& who, moderation::TimeMs when = 1000) {
  return {who, "because", when};
}

}  // namespace safeguard::storage
