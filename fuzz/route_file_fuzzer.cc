// Any bytes as a route file: read, or refused with a reason; what is read is a route that holds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "moderation/route_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = safeguard::moderation::ReadRouteFile(text);
  if (file) {
    CHECK(safeguard::moderation::CheckRoute(file->settings).has_value());
  } else {
    CHECK(!file.error().message.empty());
  }
  return 0;
}
