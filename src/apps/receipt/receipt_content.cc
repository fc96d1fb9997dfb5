#include "apps/receipt/receipt_content.h"

#include <utility>
#include <vector>

#include "apps/input/content_input.h"
#include "apps/input/data_folder.h"
#include "moderation/receipt.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::Content;
using moderation::VerdictRecord;

constexpr std::size_t kHashShown = 12;

// The content as the log kept it, where it did.
Result<Content> KeptContent(const ReplayArguments& arguments, const VerdictRecord& receipt) {
  const Result<std::string> folder = DataFolder(arguments.data_dir);
  const auto log = folder ? storage::OpenVerdictLog(*folder, {}) : std::unexpected(folder.error());
  if (log) {
    const auto found = moderation::FindVerdict(**log, receipt.sequence);
    if (found && *found && (*found)->content && (*found)->content_hash == receipt.content_hash) {
      return *(*found)->content;
    }
  }
  return Fail(ErrorCode::kInvalidInput, "a receipt holds no content, and no log here has kept it",
              "give the content with --content FILE or --conversation FILE");
}

// A file as the content it may have been: of a user or of an assistant, with the line end that
// editors put at the end of files or without it.
Result<Content> MatchingContent(const Content& read, const std::string& hash) {
  std::vector<Content> candidates = {read};
  if (read.kind != moderation::ContentKind::kConversation) {
    std::string text = read.messages.front().text;
    candidates.push_back(moderation::Completion(text));
    if (text.ends_with('\n')) {
      text.pop_back();
      candidates.push_back(moderation::UserMessage(text));
      candidates.push_back(moderation::Completion(text));
    }
  }
  for (Content& candidate : candidates) {
    if (moderation::ContentHash(candidate) == hash) {
      return std::move(candidate);
    }
  }
  return Fail(ErrorCode::kInvalidInput,
              "this is not the content that the receipt is about: its hash is " +
                  moderation::ContentHash(read).substr(0, kHashShown) + "..., the receipt's " +
                  hash.substr(0, kHashShown) + "...",
              "give it byte for byte; a conversation with --conversation");
}

}  // namespace

Result<Content> ContentFor(const ReplayArguments& arguments, const VerdictRecord& receipt,
                           Console& console) {
  Result<Content> content;
  if (arguments.content.empty() && arguments.conversation.empty()) {
    content = KeptContent(arguments, receipt);
  } else {
    ContentRequest request;
    request.file = arguments.content;
    request.conversation = arguments.conversation;
    const Result<ContentInput> input = ReadContent(request, console);
    content = input ? MatchingContent(input->content, receipt.content_hash)
                    : std::unexpected(input.error());
  }
  if (content) {
    content->id = receipt.content_id;
    content->surface = receipt.surface;
    content->language = receipt.language;
  }
  return content;
}

}  // namespace safeguard::apps
