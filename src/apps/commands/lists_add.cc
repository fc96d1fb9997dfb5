// `safeguard lists add`: one more entry at the end of a list file.
#include <algorithm>
#include <utility>

#include "apps/commands/commands.h"
#include "apps/input/data_folder.h"
#include "apps/output/display_text.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/utc_time.h"
#include "storage/list_files.h"

namespace safeguard::apps {
namespace {

using moderation::ListEntry;
using moderation::ListKind;

// What is to be listed, into the entry's kind and value.
Status TakeValue(const ListsAddArguments& arguments, Console& console, ListEntry& entry) {
  const int kinds = (arguments.term.empty() ? 0 : 1) + (arguments.allow.empty() ? 0 : 1) +
                    (arguments.exact ? 1 : 0) + (arguments.near ? 1 : 0);
  if (kinds != 1) {
    return Fail(ErrorCode::kInvalidInput, "what is to be listed?",
                "give one of --term, --allow, --exact, --near");
  }
  if (!arguments.exact && !arguments.near) {
    entry.kind = arguments.term.empty() ? ListKind::kAllow : ListKind::kTerm;
    entry.value = arguments.term.empty() ? arguments.allow : arguments.term;
    return {};
  }
  const Result<ContentInput> input = ReadContent(arguments.content, console);
  if (!input) {
    return std::unexpected(input.error());
  }
  const std::string& text = input->content.messages.front().text;
  if (text.size() > moderation::kListMessageBytesMax) {
    return Fail(ErrorCode::kLimit, "the content is longer than 16 MiB, which lists do not read");
  }
  entry.kind = arguments.exact ? ListKind::kExact : ListKind::kNear;
  if (arguments.exact) {
    entry.value = moderation::ExactHash(text, entry.action);
    return entry.value.empty() ? Status(Fail(ErrorCode::kInvalidInput, "the content is blank"))
                               : Status{};
  }
  Result<std::string> fingerprint = moderation::NearFingerprint(text);
  if (!fingerprint) {
    return std::unexpected(fingerprint.error());
  }
  entry.value = std::move(*fingerprint);
  return {};
}

Result<ListEntry> EntryOf(const ListsAddArguments& arguments, Console& console) {
  ListEntry entry;
  if (arguments.action.empty() && arguments.allow.empty()) {
    return Fail(ErrorCode::kInvalidInput, "what does a hit mean?",
                "give --action violation, safe or review");
  }
  if (!arguments.action.empty() && !arguments.allow.empty()) {
    return Fail(ErrorCode::kInvalidInput, "an allowed phrase has no action", "leave --action out");
  }
  entry.action = moderation::ActionFrom(arguments.action).value_or(entry.action);
  entry.match = moderation::TermMatchFrom(arguments.match).value_or(entry.match);
  if (const Status taken = TakeValue(arguments, console, entry); !taken) {
    return std::unexpected(taken.error());
  }
  const Result<std::string> who = ActingPerson(arguments.who);
  if (!who) {
    return std::unexpected(who.error());
  }
  if (!arguments.expires.empty()) {
    const Result<std::int64_t> expires = ParseUtc(arguments.expires);
    if (!expires) {
      return std::unexpected(expires.error());
    }
    entry.expires = *expires;
  }
  entry.id = arguments.id.empty()
                 ? std::string(moderation::ToString(entry.kind)) + "-" +
                       Blake2bHex(arguments.policy + '\0' + entry.value).substr(0, 8)
                 : arguments.id;
  entry.similarity = arguments.similarity > 0 ? arguments.similarity : entry.similarity;
  entry.policy = arguments.policy;
  entry.rules = arguments.rules;
  entry.category = arguments.category;
  entry.reason = arguments.reason;
  entry.added_by = *who;
  entry.added = UtcNow();
  return entry;
}

}  // namespace

ExitCode RunListsAdd(const ListsAddArguments& arguments, Console& console) {
  const Result<ListEntry> entry = EntryOf(arguments, console);
  if (!entry) {
    return Fails(console, entry.error(), ExitCode::kUsage);
  }
  Result<std::string> bytes = ReadFile(arguments.list, moderation::kListBytesMax);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
    bytes = std::string();
  }
  if (!bytes) {
    return Fails(console, bytes.error(), ExitCode::kCannotRun);
  }
  if (!bytes->empty() && bytes->back() != '\n') {
    *bytes += '\n';
  }
  // What is written must be readable: the old lines and the new one.
  const std::string name = storage::ListName(arguments.list);
  if (const Result<moderation::List> before = moderation::ReadList(*bytes, name); !before) {
    return Fails(console, before.error(), ExitCode::kCannotRun);
  }
  *bytes += moderation::EntryLine(*entry);
  if (const Result<moderation::List> after = moderation::ReadList(*bytes, name); !after) {
    return Fails(console, after.error(), ExitCode::kUsage);
  }
  if (const Status written = WriteFileAtomically(arguments.list, *bytes); !written) {
    return Fails(console, written.error(), ExitCode::kCannotRun);
  }
  console.Out("added " + entry->id + " to " + Printable(arguments.list) + "\n");
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
