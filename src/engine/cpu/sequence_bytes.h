// A sequence's keys and values as bytes: what Forward::Export gives and Import takes.
//
// Little-endian. The head of 64 bytes: a mark of 8; then 4 bytes each: version, positions of a
// page, layers, kv heads, head size, type of numbers; then 8 each: sliding window, length; then 16
// for the name of the kernels, zeros behind it. After it 64 hexadecimal digits: BLAKE2b over the
// head, the layers' first pages and the layers' own digests. Then 8 bytes a layer: its first page,
// and bit 63 if it slides. Then the layers' pages as memory holds them; positions at or behind the
// length are zero.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/cpu/kv_pages.h"
#include "engine/model/gpt_oss_config.h"

namespace safeguard::engine::cpu {

struct SequenceState {
  std::size_t length = 0;
  std::vector<LayerPages> layers;
};

// The first position that a sliding layer with `window` keys needs for a token at `length`.
constexpr std::size_t WindowStart(std::size_t length, std::size_t window) {
  return length + 1 < window ? 0 : length + 1 - window;
}

class SequenceBytes {
 public:
  // What it is given must outlive it. `kernels`: the name of the table, under 17 characters.
  SequenceBytes(const GptOssConfig& config, std::string_view kernels, PagePool& pages,
                ThreadPool& threads)
      : config_(config), kernels_(kernels), pages_(pages), threads_(threads) {}

  [[nodiscard]] std::vector<std::byte> Write(const SequenceState& sequence) const;

  // Pages that `bytes` will take, after checking everything but the digest.
  [[nodiscard]] Result<std::size_t> PagesIn(std::span<const std::byte> bytes) const;
  // REQUIRES: PagesIn(bytes) is a number.
  [[nodiscard]] Result<SequenceState> Read(std::span<const std::byte> bytes) const;

  // Writes the digest anew, for tests that change bytes. REQUIRES: as Read.
  void Seal(std::span<std::byte> bytes) const;

 private:
  struct Layer {
    std::size_t first_page;
    std::span<const std::byte> pages;
  };
  [[nodiscard]] std::vector<std::byte> Head(std::size_t length) const;
  [[nodiscard]] std::vector<Layer> Layers(std::span<const std::byte> bytes) const;
  [[nodiscard]] std::string Digest(std::span<const std::byte> bytes) const;

  const GptOssConfig& config_;
  std::string_view kernels_;
  PagePool& pages_;
  ThreadPool& threads_;
};

}  // namespace safeguard::engine::cpu
