#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <tuple>
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
using moderation::PolicyStore;
using moderation::StoreEvent;
using moderation::VersionBytes;

constexpr std::size_t kEventsAtOnce = 1000;

class Exporter {
 public:
  Exporter(PolicyStore& store, const std::string& policy_id, const std::string& folder)
      : store_(store), policy_id_(policy_id), folder_(folder) {}

  Status Run(const ExportOptions& options) {
    Result<std::vector<StoreEvent>> events = WholeHistory(store_, policy_id_);
    if (!events) {
      return std::unexpected(events.error());
    }
    std::string history;
    int head = 0;
    for (const StoreEvent& event : *events) {
      history += HistoryLine(event);
      head = std::max(head, event.kind == moderation::EventKind::kPublish ? event.number : 0);
    }
    const Result<std::vector<moderation::VersionInfo>> versions = store_.Versions(policy_id_);
    if (!versions) {
      return std::unexpected(versions.error());
    }
    Status status = options.overwrite ? Status{} : CheckEdits(*versions);
    for (int number = 1; status && number <= head; ++number) {
      status = WriteVersion(number, number == head);
    }
    return status ? Write("history.jsonl", history) : status;
  }

  [[nodiscard]] std::vector<std::string> written() const { return written_; }

 private:
  // What stands in the folder must be in some version.
  Status CheckEdits(const std::vector<moderation::VersionInfo>& versions) {
    for (const auto& [name, hash, most] :
         {std::tuple{"policy.md", &moderation::VersionInfo::hash, moderation::kPolicyBytesMax},
          std::tuple{"golden.jsonl", &moderation::VersionInfo::golden_hash,
                     moderation::kGoldenBytesMax}}) {
      const Result<std::string> bytes = ReadFile(Path(name), most);
      if (!bytes && bytes.error().code == ErrorCode::kNotFound) {
        continue;
      }
      if (!bytes) {
        return std::unexpected(bytes.error());
      }
      const std::string there = Blake2bHex(*bytes);
      if (std::ranges::find(versions, there, hash) == versions.end()) {
        return Fail(ErrorCode::kInvalidInput, Path(name) + " has changes that are in no version",
                    "import them first, or overwrite them with --overwrite");
      }
    }
    return {};
  }

  Status WriteVersion(int number, bool is_head) {
    const Result<VersionBytes> bytes = store_.Read(policy_id_, number);
    if (!bytes) {
      return std::unexpected(bytes.error());
    }
    const std::string stem = "versions/" + std::to_string(number);
    Status status = Write(stem + ".md", bytes->policy);
    if (status && !bytes->golden.empty()) {
      status = Write(stem + ".golden.jsonl", bytes->golden);
    }
    if (status && is_head) {
      status = Write("policy.md", bytes->policy);
    }
    if (status && is_head && !bytes->golden.empty()) {
      status = Write("golden.jsonl", bytes->golden);
    } else if (status && is_head) {
      std::error_code ignored;  // mostly there is none
      fs::remove(Path("golden.jsonl"), ignored);
    }
    return status ? WriteAttachments(number) : status;
  }

  Status WriteAttachments(int number) {
    const Result<std::vector<std::string>> names = store_.ListAttachments(policy_id_, number);
    if (!names) {
      return std::unexpected(names.error());
    }
    for (const std::string& name : *names) {
      if (name == moderation::kGoldenAttachment) {
        continue;
      }
      const Result<std::string> bytes = store_.GetAttachment(policy_id_, number, name);
      const Status written =
          bytes ? Write("attachments/" + std::to_string(number) + "/" + name, *bytes)
                : std::unexpected(bytes.error());
      if (!written) {
        return written;
      }
    }
    return {};
  }

  // Files that say the same already are left alone: their times stay, and Git sees nothing.
  Status Write(const std::string& name, const std::string& bytes) {
    const Result<std::string> there = ReadFile(Path(name), bytes.size());
    if (there && *there == bytes) {
      return {};
    }
    std::error_code problem;
    fs::create_directories(fs::path(Path(name)).parent_path(), problem);
    if (problem) {
      return Fail(ErrorCode::kUnavailable,
                  "the folder of " + Path(name) + " cannot be made: " + problem.message(),
                  "check its permissions");
    }
    const Status done = WriteFileAtomically(Path(name), bytes);
    if (done) {
      written_.push_back(policy_id_ + "/" + name);
    }
    return done;
  }

  [[nodiscard]] std::string Path(const std::string& name) const {
    return folder_ + "/" + policy_id_ + "/" + name;
  }

  PolicyStore& store_;
  const std::string& policy_id_;
  const std::string& folder_;
  std::vector<std::string> written_;
};

}  // namespace

Result<std::vector<StoreEvent>> WholeHistory(PolicyStore& store, const std::string& policy_id) {
  std::vector<StoreEvent> all;
  while (true) {
    Result<std::vector<StoreEvent>> events =
        store.History(policy_id, all.empty() ? 0 : all.back().sequence, kEventsAtOnce);
    if (!events) {
      return events;
    }
    std::ranges::move(*events, std::back_inserter(all));
    if (events->size() < kEventsAtOnce) {
      return all;
    }
  }
}

Result<std::vector<std::string>> ExportPolicy(PolicyStore& store, const std::string& policy_id,
                                              const std::string& folder,
                                              const ExportOptions& options) {
  Exporter exporter(store, policy_id, folder);
  const Status done = exporter.Run(options);
  if (!done) {
    return std::unexpected(done.error());
  }
  return exporter.written();
}

}  // namespace safeguard::storage
