// Requests and answers that pass through the proxy, from hostile bytes. Whatever is accepted must
// be written as JSON again, and text in it must not be lost to the judge.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "http/domain_json.h"
#include "http/proxy/proxied_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using safeguard::guard::WireFormat;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  constexpr WireFormat kFormats[] = {WireFormat::kOpenAiChat, WireFormat::kOpenAiResponses,
                                     WireFormat::kAnthropicMessages};
  for (const WireFormat format : kFormats) {
    const auto request = safeguard::http::ReadProxiedRequest(format, bytes, {});
    if (request) {
      CHECK(!request->model.empty() && !request->forward.contains("moderation"));
      CHECK(!safeguard::http::JsonLine(request->forward).empty());
    }
    const auto answer = safeguard::http::ReadProxiedAnswer(format, bytes);
    if (answer) {
      // What is passed on, read again, holds no text that was not judged.
      const auto again =
          safeguard::http::ReadProxiedAnswer(format, safeguard::http::JsonLine(answer->json));
      CHECK(again && again->text == answer->text);
    }
  }
  safeguard::http::ErrorWord(bytes, "code");
  return 0;
}
