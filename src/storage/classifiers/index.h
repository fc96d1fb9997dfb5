// The index of classifiers as JSON.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/classifier_store.h"

namespace safeguard::storage {

struct ClassifierUse {
  std::string name;
  int version = 0;
  bool band = false;
  friend bool operator==(const ClassifierUse&, const ClassifierUse&) = default;
};

struct ClassifierIndex {
  std::vector<ClassifierEntry> entries;  // by policy, name and version
  // Of each policy what answered, oldest first; the last one does now.
  std::map<std::string, std::vector<ClassifierUse>> uses;
  // The highest version ever given, by policy and name.
  std::map<std::pair<std::string, std::string>, int> highest;

  [[nodiscard]] const ClassifierEntry* Find(const std::string& policy_id, const std::string& name,
                                            int version) const;
};

inline constexpr std::size_t kIndexBytesMax = std::size_t{16} << 20;

std::string WriteIndex(const ClassifierIndex& index);
// Never throws. kCorruptFile, naming what is wrong, for anything WriteIndex did not write.
Result<ClassifierIndex> ReadIndex(std::string_view bytes, const std::string& name);

}  // namespace safeguard::storage
