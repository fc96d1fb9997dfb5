// Kept keys and values: whatever the bytes, an error or a sequence that comes out as it went in.
// The digest is written anew first, so that what stands behind it is reached.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/thread_pool.h"
#include "engine/cpu/sequence_bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace safeguard::engine;  // NOLINT(google-build-using-namespace): one function
  GptOssConfig config;
  config.layers = 2;
  config.kv_heads = 1;
  config.head_dim = 2;
  config.sliding_window = 40;
  config.sliding = AlternatingLayers(2);
  cpu::PagePool pages({1, 2, cpu::KvType::kF16});
  safeguard::ThreadPool threads(1);
  const cpu::SequenceBytes format(config, "avx2", pages, threads);
  const auto all = std::as_bytes(std::span(data, size));
  std::vector<std::byte> bytes(all.begin(), all.end());
  const auto needed = format.PagesIn(bytes);
  if (!needed) {
    CHECK(!needed.error().message.empty());
    return 0;
  }
  const auto plain = format.Read(bytes);
  CHECK(plain || !plain.error().message.empty());
  format.Seal(bytes);
  const auto sealed = format.Read(bytes);
  CHECK(sealed && sealed->length <= config.context_max);
  CHECK(pages.in_use() == *needed * (plain ? 2 : 1));
  const std::vector<std::byte> again = format.Write(*sealed);
  CHECK(format.PagesIn(again) && format.Read(again));
  CHECK(format.Write(*format.Read(again)) == again);
  return 0;
}
