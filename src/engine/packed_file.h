// The file of packed weights: what a start would compute from a checkpoint's weights, kept beside
// the model so that the next start maps it. Results are the same bits with and without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "engine/model_precision.h"

namespace safeguard::engine {

// Without both places there is no file: weights are packed anew into memory at every start.
struct PackedFileOptions {
  bool beside_model = false;  // in the folder of the weights, where that can be written
  std::string cache_folder;   // else here; made when needed. Empty: nowhere
  // Models whose packed weights take less are packed in a moment: no file is made for them, but one
  // that is there is used.
  std::uint64_t bytes_min = std::uint64_t{64} << 20;
  // What a user should know: a file that was made, is damaged, or could not be written. Called by
  // the opening thread.
  std::function<void(const std::string&)> on_note;

  [[nodiscard]] bool wanted() const { return beside_model || !cache_folder.empty(); }
};

enum class PackedState : std::uint8_t {
  kNone,      // nothing is packed: binary32
  kInMemory,  // packed at this start, no file
  kMapped,    // a file of an earlier start
  kMade,      // packed at this start into a file, and mapped
};

// Where a model's packed weights are.
struct PackedReport {
  PackedState state = PackedState::kNone;
  std::string path;         // of the file; empty without one
  std::uint64_t bytes = 0;  // of the packed weights
  double seconds = 0;       // that packing, or mapping and checking, took
};

// "packed weights mapped from FILE", "packed weights in memory", ...
std::string Describe(const PackedReport& report);

// Makes the file of the checkpoint at `path` ahead of time, whatever its size; one that is there is
// checked. kInvalidInput for kF32, which packs nothing; kUnavailable when it cannot be written.
Result<PackedReport> PackModel(const std::string& path, ModelPrecision precision,
                               const PackedFileOptions& options, std::size_t threads);

}  // namespace safeguard::engine
