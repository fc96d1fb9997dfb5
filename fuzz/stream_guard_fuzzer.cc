// The stream guard over any bytes. The first byte chooses format, contract and fail mode, the
// second how the rest is cut. Whatever comes: the contract holds (the ledger CHECKs it), the stream
// ends, the cut changes nothing where nothing may be visible unjudged, and what is released can be
// read.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "http/guard/run_stream.h"
#include "http/guard/test_streams.h"

namespace {

using namespace safeguard::guard;  // NOLINT(google-build-using-namespace): one file, no header

GuardSettings SettingsOf(std::uint8_t choice) {
  GuardSettings settings;
  settings.format = static_cast<WireFormat>(choice & 3U);
  settings.contract.tokens_max = (choice & 4U) != 0 ? 16 : 0;
  settings.fail_mode = (choice & 8U) != 0 ? FailMode::kOpen : FailMode::kClosed;
  settings.reasoning = (choice & 16U) != 0 ? Reasoning::kDrop : Reasoning::kScan;
  settings.whole_pass = (choice & 32U) != 0;
  settings.limits.frame_bytes_max = 4096;
  settings.limits.text_bytes_max = 16'384;
  settings.limits.tool_call_bytes_max = 1024;
  settings.limits.channels_max = 16;
  return settings;
}

struct Result {
  std::string released;
  GuardState state;
};

Result RunOnce(const GuardSettings& settings, std::string_view bytes, std::size_t chunk) {
  StreamGuard guard(settings, Duration::zero());
  WordScorer scorer;
  StreamOutput output = RunStream(guard, bytes, chunk, scorer, nullptr);
  CHECK(guard.ended());
  const LedgerSummary summary = guard.ledger().Summary();
  CHECK(summary.exposed_tokens_max <= settings.contract.tokens_max);
  if (settings.fail_mode != FailMode::kOpen) {
    CHECK(summary.unscanned_bytes <= settings.contract.tokens_max);
  }
  return {std::move(output.released), guard.state()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const GuardSettings settings = SettingsOf(data[0]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Result cut = RunOnce(settings, bytes, 1 + data[1] % 64);
  CHECK(!safeguard::FirstInvalidUtf8(cut.released));
  if (settings.contract.tokens_max == 0) {
    const Result whole = RunOnce(settings, bytes, 0);
    CHECK(whole.released == cut.released && whole.state == cut.state);
    if (settings.fail_mode != FailMode::kOpen) {
      CHECK(Read(settings.format, cut.released).content.find("bad") == std::string::npos);
    }
  }
  return 0;
}
