// Files of packed weights on disk: finds, checks and maps the one of a model, or makes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/cpu/packed/pack_plan.h"
#include "engine/cpu/packed/packed_header.h"
#include "engine/cpu/packed/packed_memory.h"
#include "engine/packed_file.h"

namespace safeguard::engine::cpu {

// Checked weights of a file. Matrix i of the plan is packed when packed[i] is 1.
struct StoredWeights {
  PackedMemory memory;
  std::size_t begin = 0;  // of the data
  std::vector<std::uint8_t> packed;
  std::string path;
  bool made = false;  // just now, by this store
};

// Used by one thread. `plan`, `options` and `pool` must outlive it.
class PackedStore {
 public:
  // For the model in `files`, which are read for their fingerprint.
  static Result<PackedStore> Open(const PackPlan& plan, std::span<const std::string> files,
                                  const PackedFileOptions& options, ThreadPool& pool);

  // The first good file in the options' places; nothing where there is none. One that is damaged
  // or of an older state of the model is told, and left out.
  std::optional<StoredWeights> Find();

  // Packs into a file in the first place that can take it, and maps that. One process packs at a
  // time; another one waits for it and maps its file (StoredWeights::made is false). Every failure
  // is told; the last is returned.
  Result<StoredWeights> Make();

 private:
  PackedStore(const PackPlan& plan, const PackedFileOptions& options, ThreadPool& pool)
      : plan_(plan), options_(options), pool_(pool) {}

  Result<StoredWeights> OpenFile(const std::string& path) const;
  Status Check(const PackedHeader& header, const StoredWeights& weights) const;
  [[nodiscard]] PackedMemory InHugePages(PackedMemory mapped) const;
  Result<StoredWeights> MakeIn(const std::string& folder);
  // Files beside the model that belong to an earlier state of its files.
  void RemoveStale(const std::string& folder) const;
  void Note(const std::string& note) const;

  const PackPlan& plan_;
  const PackedFileOptions& options_;
  ThreadPool& pool_;
  std::vector<std::string> folders_;
  std::string key_;
  std::string times_;
  std::string name_;
};

}  // namespace safeguard::engine::cpu
