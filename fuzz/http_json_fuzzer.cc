// Arbitrary bytes as the body of every request, and as a query. The first byte chooses which.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/utf8.h"
#include "http/api/batch_lines.h"
#include "http/api/review_case.h"
#include "http/dataset_mapping.h"
#include "http/json_input.h"
#include "http/keys.h"
#include "http/multipart.h"

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

// Work that waits: from 8 on.
void FuzzWork(int which, const std::string& body) {
  using safeguard::http::JobContents;
  switch (which) {
    case 8:
    case 9: {
      const auto question = safeguard::http::ReadJobQuestion(
          body, which == 8 ? JobContents::kOne : JobContents::kMany);
      CheckProblem(question);
      if (question) {
        CheckContents(question->contents);
      }
      break;
    }
    case 10:
      CheckProblem(safeguard::http::ReadReviewRequest(body));
      break;
    case 11:
      CheckProblem(safeguard::http::ReadReviewDecision(body));
      break;
    case 12:
      CheckProblem(safeguard::http::ReadLeaseTime(body));
      break;
    case 13:
      CheckProblem(safeguard::http::ReadLeaseNumber(body));
      break;
    default:
      CheckProblem(safeguard::http::ReadForm("multipart/form-data; boundary=x", body));
      CheckProblem(safeguard::http::ReadDatasetMapping(body));
      safeguard::http::BatchCheck check("/v1/moderations");
      check.Add(body, 1);
      check.End();
      for (const auto& fault : check.faults()) {
        CHECK(!fault.code.empty() && !safeguard::FirstInvalidUtf8(fault.message));
      }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 16 >= 8) {
    FuzzWork(data[0] % 16, body);
    return 0;
  }
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
