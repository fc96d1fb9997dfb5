// Arbitrary bytes as the body of every request, and as a query. The first byte chooses which.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "http/json_input.h"
#include "http/keys.h"

namespace {

using safeguard::http::OrProblem;

template <typename T>
void CheckProblem(const OrProblem<T>& read) {
  if (!read) {
    CHECK(read.error().status == 400);
    CHECK(!read.error().detail.empty() && !read.error().hint.empty());
    CHECK(!safeguard::FirstInvalidUtf8(read.error().detail));
    // A problem can always be told.
    CHECK(!ProblemResponse(read.error(), "id", true).body.empty());
  }
}

void CheckContents(const std::vector<safeguard::moderation::Content>& contents) {
  CHECK(!contents.empty() && contents.size() <= safeguard::http::kContentsMax);
  for (const auto& content : contents) {
    CHECK(!content.messages.empty());
    for (const auto& message : content.messages) {
      CHECK(!safeguard::FirstInvalidUtf8(message.text));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0:
    case 1: {
      const auto question = data[0] % 8 == 0 ? safeguard::http::ReadJudgeQuestion(body)
                                             : safeguard::http::ReadBatchQuestion(body);
      CheckProblem(question);
      if (question) {
        CheckContents(question->contents);
      }
      break;
    }
    case 2: {
      const auto question = safeguard::http::ReadModerationQuestion(body);
      CheckProblem(question);
      if (question) {
        CheckContents(question->contents);
      }
      break;
    }
    case 3:
      CheckProblem(safeguard::http::ReadPublishQuestion(body));
      break;
    case 4:
      CheckProblem(safeguard::http::ReadPromoteQuestion(body));
      break;
    case 5:
      CheckProblem(safeguard::http::ReadNote(body));
      break;
    case 6:
      CheckProblem(safeguard::http::ReadQuery(body, {"policy", "cursor"}));
      break;
    default: {
      const auto keys = safeguard::http::ReadKeys(body);
      if (keys) {
        const auto again = safeguard::http::ReadKeys(safeguard::http::WriteKeys(*keys));
        CHECK(again && *again == *keys);
      }
    }
  }
  return 0;
}
