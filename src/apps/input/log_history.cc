#include "apps/input/log_history.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <unordered_set>

#include "apps/input/data_folder.h"
#include "apps/output/record_json.h"
#include "apps/output/verdict_json.h"
#include "moderation/verdict_log.h"
#include "storage/stores.h"

namespace safeguard::apps {
namespace {

using moderation::VerdictRecord;

Error CannotWrite(const std::string& path) {
  return {ErrorCode::kUnavailable, "cannot write " + path + ": " + std::strerror(errno),
          "check the disk's space and the folder's permissions"};
}

// All records with text under the policy, a line for each content that `seen` has not.
Status CopyRecords(moderation::VerdictLog& log, const std::string& policy_id, std::ostream& out,
                   std::unordered_set<std::string>& seen) {
  moderation::VerdictQuery query;
  query.policy_id = policy_id;
  query.only_with_content = true;
  while (true) {
    const Result<moderation::VerdictPage> page = log.Scan(query);
    if (!page) {
      return std::unexpected(page.error());
    }
    for (const VerdictRecord& record : page->records) {
      if (record.channel == moderation::Channel::kShadow ||
          !seen.insert(record.content_hash).second) {
        continue;
      }
      nlohmann::ordered_json line = RecordJson(record);
      line["id"] = record.content_hash;
      line.erase("channel");  // read as data it would be the content's surface
      out << JsonLine(line) << '\n';
    }
    if (page->end) {
      return {};
    }
    query.after = page->next;
  }
}

}  // namespace

Result<std::size_t> WriteLogHistory(const std::string& policy_id, const std::string& path) {
  const Result<std::string> folder = DataFolder("");
  if (!folder) {
    return std::unexpected(folder.error());
  }
  const Result<std::unique_ptr<moderation::VerdictLog>> log = storage::OpenVerdictLog(*folder, {});
  if (!log) {
    return std::unexpected(log.error());
  }
  const std::string part = path + ".part";
  std::unordered_set<std::string> seen;
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    if (!out) {
      return std::unexpected(CannotWrite(part));
    }
    if (const Status copied = CopyRecords(**log, policy_id, out, seen); !copied) {
      ::unlink(part.c_str());
      return std::unexpected(copied.error());
    }
    if (!out.flush()) {
      const Error error = CannotWrite(part);
      ::unlink(part.c_str());
      return std::unexpected(error);
    }
  }
  if (seen.empty()) {
    ::unlink(part.c_str());
    return Fail(ErrorCode::kNotFound,
                "the verdict log in " + *folder + " keeps no content judged under " + policy_id,
                "record some with `safeguard batch --record --record-content`, or name a file");
  }
  if (::rename(part.c_str(), path.c_str()) != 0) {
    return std::unexpected(CannotWrite(path));
  }
  return seen.size();
}

TemporaryHistory::TemporaryHistory()
    : path_((std::filesystem::temp_directory_path() /
             ("safeguard-history-" + std::to_string(::getpid()) + ".jsonl"))
                .string()) {}

TemporaryHistory::~TemporaryHistory() {
  ::unlink(path_.c_str());
}

}  // namespace safeguard::apps
