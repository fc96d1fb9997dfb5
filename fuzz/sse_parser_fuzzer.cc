// Server-sent events from any bytes: the same events however they are cut, each within the limit,
// and none with a line's end that its data did not have.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/guard/sse_parser.h"

namespace {

using safeguard::guard::SseEvent;
using safeguard::guard::SseParser;

constexpr std::size_t kEventBytesMax = 512;

bool Parse(std::string_view bytes, std::size_t chunk, std::vector<SseEvent>& events) {
  SseParser parser(kEventBytesMax);
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    if (!parser.Feed(bytes.substr(at, chunk), events)) {
      return false;
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<SseEvent> whole;
  std::vector<SseEvent> cut;
  const bool fits = Parse(bytes, bytes.size() + 1, whole);
  CHECK(fits == Parse(bytes, 1 + data[0] % 16, cut));
  CHECK(whole.size() == cut.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(whole[i].data == cut[i].data && whole[i].name == cut[i].name);
    CHECK(whole[i].data.size() <= kEventBytesMax);
    CHECK((whole[i].name + whole[i].data).find('\r') == std::string::npos);
  }
  return 0;
}
