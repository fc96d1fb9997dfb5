#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/hash.h"
#include "moderation/policy.h"
#include "storage/folder/history_lines.h"
#include "storage/folder/store_history.h"
#include "storage/policy_folder.h"

namespace safeguard::storage {
namespace {

namespace fs = std::filesystem;
using moderation::Change;
using moderation::PolicyStore;
using moderation::StoreEvent;
using moderation::VersionBytes;

constexpr std::size_t kHistoryBytesMax = std::size_t{64} << 20;

// A file's bytes; empty where there is none.
Result<std::string> ReadIfThere(const std::string& path, std::size_t bytes_max) {
  Result<std::string> bytes = ReadFile(path, bytes_max);
  if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
    return std::string();
  }
  return bytes;
}

Result<VersionBytes> ReadVersion(const std::string& stem, bool golden) {
  Result<std::string> policy = ReadFile(stem + ".md", moderation::kPolicyBytesMax);
  if (!policy) {
    return std::unexpected(policy.error());
  }
  VersionBytes bytes{std::move(*policy), ""};
  if (golden) {
    Result<std::string> cases = ReadFile(stem + ".golden.jsonl", moderation::kGoldenBytesMax);
    if (!cases) {
      return std::unexpected(cases.error());
    }
    bytes.golden = std::move(*cases);
  }
  return bytes;
}

// An event of the folder as a change of the store, with the bytes that it publishes.
Result<Change> ChangeOf(const std::string& folder, StoreEvent event) {
  Change change;
  if (event.kind == moderation::EventKind::kPublish) {
    const std::string stem = folder + "/versions/" + std::to_string(event.number);
    Result<VersionBytes> bytes = ReadVersion(stem, !event.golden_hash.empty());
    if (!bytes) {
      return std::unexpected(bytes.error());
    }
    const std::string golden_hash = bytes->golden.empty() ? "" : Blake2bHex(bytes->golden);
    if (Blake2bHex(bytes->policy) != event.hash || golden_hash != event.golden_hash) {
      return Fail(ErrorCode::kCorruptFile,
                  stem + ".md or its golden set is not what history.jsonl says was published",
                  "a version never changes: restore the file, and write changes into policy.md");
    }
    change.bytes = std::move(*bytes);
  }
  change.event = std::move(event);
  return change;
}

bool Same(StoreEvent a, StoreEvent b) {
  a.sequence = b.sequence = 0;
  return a == b;
}

// The folder's events that the store does not have yet.
Result<std::vector<StoreEvent>> NewEvents(PolicyStore& store, const std::string& policy_id,
                                          std::vector<StoreEvent> folder, const std::string& name) {
  const Result<std::vector<StoreEvent>> known = WholeHistory(store, policy_id);
  if (!known) {
    return std::unexpected(known.error());
  }
  const auto [ours, theirs] = std::ranges::mismatch(*known, folder, Same);
  if (ours != known->end() && theirs != folder.end()) {
    return Fail(ErrorCode::kInvalidInput,
                name + " line " + std::to_string(theirs - folder.begin() + 1) +
                    ": this history of " + policy_id +
                    " and the store's have gone different ways from here",
                "to take its text alone, publish its policy.md; to keep both histories, import "
                "into another data folder");
  }
  folder.erase(folder.begin(), theirs);
  return folder;
}

Result<std::size_t> ImportHistory(PolicyStore& store, const std::string& policy_id,
                                  const std::string& folder, Imported& imported) {
  const std::string path = folder + "/history.jsonl";
  const Result<std::string> text = ReadIfThere(path, kHistoryBytesMax);
  if (!text) {
    return std::unexpected(text.error());
  }
  Result<std::vector<StoreEvent>> events = ParseHistory(*text, policy_id, path);
  if (!events) {
    return std::unexpected(events.error());
  }
  const std::size_t in_folder = events->size();
  events =
      in_folder == 0 ? std::move(events) : NewEvents(store, policy_id, std::move(*events), path);
  if (!events || events->empty()) {
    return events ? Result<std::size_t>(in_folder) : std::unexpected(events.error());
  }
  std::vector<Change> changes;
  for (StoreEvent& event : *events) {
    imported.versions += event.kind == moderation::EventKind::kPublish ? 1 : 0;
    Result<Change> change = ChangeOf(folder, std::move(event));
    if (!change) {
      return std::unexpected(change.error());
    }
    changes.push_back(std::move(*change));
  }
  const Result<std::vector<StoreEvent>> applied = store.Apply(changes);
  if (!applied) {
    Error error = applied.error();
    error.message = "the history in " + path + " cannot be imported: " + error.message;
    return std::unexpected(std::move(error));
  }
  imported.events = applied->size();
  return in_folder;
}

Status ImportAttachments(PolicyStore& store, const std::string& policy_id,
                         const std::string& folder) {
  const Result<std::vector<moderation::VersionInfo>> versions = store.Versions(policy_id);
  if (!versions) {
    return std::unexpected(versions.error());
  }
  for (const moderation::VersionInfo& version : *versions) {
    const fs::path root = fs::path(folder) / "attachments" / std::to_string(version.number);
    std::error_code ignored;  // no such folder: no attachments
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root, ignored)) {
      if (!entry.is_regular_file(ignored)) {
        continue;
      }
      const Result<std::string> bytes =
          ReadFile(entry.path().string(), moderation::kAttachmentBytesMax);
      const Status put = bytes ? store.PutAttachment(
                                     policy_id, version.number,
                                     entry.path().lexically_relative(root).generic_string(), *bytes)
                               : std::unexpected(bytes.error());
      if (!put) {
        return put;
      }
    }
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> PolicyFolders(const std::string& folder) {
  std::error_code problem;
  std::vector<std::string> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, problem)) {
    std::error_code ignored;  // what cannot be looked at holds no policy
    if (fs::is_regular_file(entry.path() / "policy.md", ignored)) {
      folders.push_back(entry.path().string());
    }
  }
  if (problem) {
    return Fail(ErrorCode::kInvalidInput, folder + " cannot be read: " + problem.message(),
                "name a folder that holds policies: FOLDER/NAME/policy.md");
  }
  std::ranges::sort(folders);
  return folders;
}

Result<Imported> ImportPolicy(PolicyStore& store, const std::string& policy_folder,
                              const moderation::Action& action) {
  std::error_code ignored;  // a path that cannot be made absolute keeps its own name
  const fs::path absolute = fs::weakly_canonical(policy_folder, ignored);
  Imported imported;
  imported.policy_id = absolute.filename().string();
  const Status id = moderation::CheckPolicyId(imported.policy_id);
  if (!id) {
    return std::unexpected(id.error());
  }
  const Result<std::string> head =
      ReadFile(policy_folder + "/policy.md", moderation::kPolicyBytesMax);
  if (!head) {
    return std::unexpected(head.error());
  }
  Result<std::string> golden =
      ReadIfThere(policy_folder + "/golden.jsonl", moderation::kGoldenBytesMax);
  if (!golden) {
    return std::unexpected(golden.error());
  }
  const Result<std::size_t> in_folder =
      ImportHistory(store, imported.policy_id, policy_folder, imported);
  if (!in_folder) {
    return std::unexpected(in_folder.error());
  }
  Result<moderation::Published> published =
      store.Publish(imported.policy_id, {*head, std::move(*golden)}, action);
  if (!published) {
    return std::unexpected(published.error());
  }
  imported.head = std::move(published->version);
  imported.head_is_new = published->is_new;
  const Status attached = ImportAttachments(store, imported.policy_id, policy_folder);
  if (!attached) {
    return std::unexpected(attached.error());
  }
  return imported;
}

}  // namespace safeguard::storage
