// Classifiers trained for one policy each, kept in the data folder:
//
//   classifiers/index.json         what there is, what answers for which policy, what did before
//   classifiers/HASH.classifier    the files, each named by the BLAKE2b of its bytes
//   classifiers/lock               held by whoever changes something
//
// A file is whole on the disk before the index names it, and the index is replaced in one step: a
// process that is killed at any moment leaves the change whole or not there, and at most a file
// that nothing names, which the next change takes away.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace safeguard::storage {

struct ClassifierEntry {
  std::string policy_id;
  std::string policy_hash;  // of the text that its labels were given under
  std::string name;
  int version = 0;   // 1, 2, ... of this policy and name; never given twice
  std::string hash;  // of the file: 64 hexadecimal digits
  std::uint64_t bytes = 0;
  std::int64_t created_ms = 0;
  std::string kind;     // "words", "head"
  std::string summary;  // one line on how good it is
};

// What answers for a policy.
struct ActiveClassifier {
  ClassifierEntry entry;
  bool band = false;  // leaves its uncertain band undecided
};

inline constexpr std::size_t kClassifierNameMax = 64;
inline constexpr std::size_t kClassifierEntriesMax = 10'000;

// Of letters, digits, '.', '_' and '-', at most kClassifierNameMax, not beginning with '.' or '-'.
Status CheckClassifierName(std::string_view name);

// Every call reads the index anew; any number of processes may change it, one after the other.
class ClassifierStore {
 public:
  // Nothing is made until something is installed.
  explicit ClassifierStore(const std::string& data_folder);

  // Every version, by policy, name and version. kCorruptFile for a damaged index.
  [[nodiscard]] Result<std::vector<ClassifierEntry>> List() const;
  // What answers for a policy now, if anything does.
  [[nodiscard]] Result<std::optional<ActiveClassifier>> Active(const std::string& policy_id) const;
  // Version 0: the newest. kNotFound names what there is.
  [[nodiscard]] Result<ClassifierEntry> Find(const std::string& policy_id, const std::string& name,
                                             int version) const;
  // The file's bytes, checked against its name.
  [[nodiscard]] Result<std::string> Read(const ClassifierEntry& entry) const;

  // Keeps the bytes under the next version of the name; version, hash and size are set here. With
  // `use` it answers from then on, with its band or without. kUnavailable: the disk is full, the
  // folder not writable, or somebody else is changing it.
  Result<ClassifierEntry> Install(ClassifierEntry entry, std::string_view bytes, bool use,
                                  bool band);
  Result<ActiveClassifier> Use(const ClassifierEntry& entry, bool band);
  // Back to what answered before; kNotFound where nothing did.
  Result<ActiveClassifier> Rollback(const std::string& policy_id);
  // kInvalidInput for the one that answers, unless `even_active`: nothing answers then.
  Status Remove(const ClassifierEntry& entry, bool even_active);

 private:
  std::string folder_;
};

}  // namespace safeguard::storage
