// Any bytes as a route file: read, or refused with a reason; what is read is a route that holds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "moderation/route_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using safeguard::moderation::Duration;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = safeguard::moderation::ReadRouteFile(text);
  if (!file) {
    CHECK(!file.error().message.empty());
    return 0;
  }
  CHECK(safeguard::moderation::CheckRoute(file->settings).has_value());
  if (file->guard) {
    CHECK(file->guard->visible_tokens <= safeguard::moderation::kVisibleTokensMax);
    CHECK(file->guard->visible_tokens == 0 || file->guard->visible_time > Duration::zero());
  }
  return 0;
}
