// Questions to the model, from hostile bytes. Whatever is accepted asks something, within limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "http/api/chat_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace safeguard::http;
  const auto body = ParseObject(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!body) {
    return 0;
  }
  for (const auto& chat : {ReadChatRequest(*body), ReadResponsesRequest(*body)}) {
    if (chat) {
      const ChatQuestion& question = chat->question;
      CHECK(!question.messages.empty() && question.tokens_max >= 1);
      CHECK(question.tokens_max <= kChatTokensMax && question.top_logprobs <= 20);
      CHECK(question.temperature >= 0 && question.temperature <= 2 && question.top_p > 0);
    }
  }
  return 0;
}
