#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "storage/audit/entries.h"
#include "storage/audit/files.h"
#include "storage/audit/key_file.h"
#include "storage/audit_log.h"

namespace safeguard::storage {
namespace {

using audit::AppendFile;
using audit::Entry;
using audit::Head;
using audit::Json;

constexpr std::size_t kHeadBytesMax = 4096;
constexpr std::size_t kErasedInOneEntry = 1000;

std::unexpected<Error> NotItsOwn(const std::string& path, const std::string& what) {
  return Fail(ErrorCode::kCorruptFile, path + ": " + what,
              "nothing is appended to it; look into it with safeguard audit verify");
}

std::unexpected<Error> NoAuditLog(const std::string& data_folder) {
  return Fail(ErrorCode::kNotFound, "there is no audit log in " + data_folder,
              "name its data folder with --data-dir; safeguard audit init makes one");
}

// The last two entries of `text`, the newer one first; fewer where there are fewer.
std::vector<Entry> LastTwo(std::string_view text) {
  std::vector<Entry> entries;
  while (entries.size() < 2 && text.ends_with('\n')) {
    text.remove_suffix(1);
    const std::size_t begin = text.rfind('\n') + 1;  // npos + 1 is 0
    std::optional<Entry> entry = audit::ReadLine(text.substr(begin));
    if (!entry) {
      break;
    }
    entries.push_back(std::move(*entry));
    text = text.substr(0, begin);
  }
  return entries;
}

class FileAuditLog final : public AuditLog {
 public:
  FileAuditLog(std::string folder, AppendFile log)
      : folder_(std::move(folder)), log_(std::move(log)) {}

  // Once, before anything else.
  Status Begin() {
    const Locked lock(*this);
    if (!lock.status()) {
      return lock.status();
    }
    const Result<std::size_t> size = log_.Size();
    if (!size) {
      return std::unexpected(size.error());
    }
    if (*size == 0 && !audit::Exists(PathOf("head"))) {
      return First();
    }
    return Load();
  }

  Status Append(std::span<const moderation::VerdictRecord> records) override {
    if (records.empty()) {
      return {};
    }
    const Locked lock(*this);
    const Status fresh = lock.status() ? Refresh() : lock.status();
    if (!fresh) {
      return fresh;
    }
    std::vector<Json> bodies;
    std::string openings;
    for (const moderation::VerdictRecord& record : records) {
      const std::int64_t number = head_.entries + 1 + static_cast<std::int64_t>(bodies.size());
      const AuditOpening opening = audit::NewOpening(number, record);
      openings += audit::OpeningLine(opening) + "\n";
      bodies.push_back(audit::VerdictBody(number, record, opening));
    }
    // First: an entry whose opening was lost could never be opened again.
    Result<AppendFile> file = AppendFile::Open(PathOf("openings"), true);
    const Result<std::size_t> before = file ? file->Size() : std::unexpected(file.error());
    if (!before) {
      return std::unexpected(before.error());
    }
    Status status = file->Append(openings);
    if (status) {
      status = Commit(bodies);
      if (!status) {
        static_cast<void>(file->CutTo(*before));  // what stays opens nothing
      }
    }
    return status;
  }

  Result<std::size_t> Erase(const std::function<bool(const AuditOpening&)>& which) override;
  Status RotateKey() override;

 private:
  // Both locks: of this process's threads, and of other processes.
  class Locked {
   public:
    explicit Locked(FileAuditLog& log) : log_(log), lock_(log.mutex_), status_(log.log_.Lock()) {}
    ~Locked() { log_.log_.Unlock(); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    [[nodiscard]] const Status& status() const { return status_; }

   private:
    FileAuditLog& log_;
    std::lock_guard<std::mutex> lock_;
    Status status_;
  };

  [[nodiscard]] std::string PathOf(const std::string& name) const { return folder_ + "/" + name; }
  Status First();
  Status Load();
  Status Refresh();
  Status TakeTail(std::size_t size);
  Status ChooseKey();
  Result<SigningKey> ReadKey(const std::string& name) const;
  Status Commit(const std::vector<Json>& bodies);
  Status WriteHead(const Head& head);

  std::string folder_;
  std::mutex mutex_;
  AppendFile log_;
  SigningKey key_;
  Head head_;
};

Result<SigningKey> FileAuditLog::ReadKey(const std::string& name) const {
  return audit::ReadKeyFile(PathOf(name));
}

Status FileAuditLog::First() {
  if (audit::Exists(PathOf("key"))) {  // a beginning that was interrupted
    Result<SigningKey> key = ReadKey("key");
    if (!key) {
      return std::unexpected(key.error());
    }
    key_ = *key;
  } else {
    key_ = NewSigningKey();
    const Status kept = audit::WriteWhole(PathOf("key"), key_.secret_key + "\n", true);
    if (!kept) {
      return kept;
    }
  }
  const Status shown = audit::WriteWhole(PathOf("public_key"), key_.public_key + "\n", false);
  if (!shown) {
    return shown;
  }
  head_ = {0, 0, audit::FirstHash(), "", ""};
  Json body = audit::Body(1, "begin");
  body["key"] = key_.public_key;
  return Commit({body});
}

Status FileAuditLog::WriteHead(const Head& head) {
  const Status written = audit::WriteWhole(PathOf("head"), audit::HeadLine(head), false);
  if (written) {
    head_ = head;
  }
  return written;
}

// The bodies and a checkpoint: on the disk, or not there.
Status FileAuditLog::Commit(const std::vector<Json>& bodies) {
  std::string text;
  std::string hash = head_.hash;
  std::int64_t number = head_.entries;
  const auto add = [&](const Json& body) {
    const std::string line = audit::Line(hash, body);
    hash = line.substr(0, audit::kHashDigits);
    ++number;
    text += line + "\n";
    return line.size() <= audit::kLineBytesMax;
  };
  for (const Json& body : bodies) {
    if (!add(body)) {
      return Fail(ErrorCode::kLimit, "an audit entry is larger than 64 KiB",
                  "shorten the policy's id, category or rules");
    }
  }
  add(audit::CheckpointBody(number + 1, hash, key_));
  const std::size_t before = head_.bytes;
  Status status = log_.Append(text);
  if (status) {
    status = WriteHead(audit::NewHead(number, before + text.size(), hash, key_));
    if (!status) {
      static_cast<void>(log_.CutTo(before));  // else the next opening takes it as it is: signed
    }
  }
  return status;
}

// What another process has appended since.
Status FileAuditLog::Refresh() {
  const Result<std::size_t> size = log_.Size();
  if (!size) {
    return std::unexpected(size.error());
  }
  return *size == head_.bytes ? Status{} : Load();
}

Status FileAuditLog::Load() {
  const Result<std::size_t> size = log_.Size();
  if (!size) {
    return std::unexpected(size.error());
  }
  const Result<std::string> text = ReadFile(PathOf("head"), kHeadBytesMax);
  if (!text && text.error().code != ErrorCode::kNotFound) {
    return std::unexpected(text.error());
  }
  if (text) {
    const std::optional<Head> head = audit::ReadHead(*text);
    if (!head || !audit::IsSigned(*head)) {
      return NotItsOwn(PathOf("head"), "it is not signed");
    }
    if (head->bytes > *size) {
      return NotItsOwn(log_.path(), "its end was cut off");
    }
    head_ = *head;
  } else if (*size <= 2 * audit::kLineBytesMax) {
    head_ = {0, 0, audit::FirstHash(), "", ""};  // a beginning that was interrupted, or:
  } else {
    return NotItsOwn(PathOf("head"), "it is missing");
  }
  const Status tail = TakeTail(*size);
  if (!tail) {
    return tail;
  }
  if (!text && head_.entries > 2) {
    return NotItsOwn(PathOf("head"), "it is missing");
  }
  return head_.entries == 0 ? First() : ChooseKey();
}

// Appends that were signed and whose head was not written are taken; what nothing signed is cut.
Status FileAuditLog::TakeTail(std::size_t size) {
  const Result<std::string> text = log_.Read(head_.bytes, size);
  if (!text) {
    return std::unexpected(text.error());
  }
  Head taken = head_;
  std::string hash = head_.hash;
  std::int64_t number = head_.entries;
  std::size_t at = 0;
  for (std::size_t end = text->find('\n'); end != std::string::npos; end = text->find('\n', at)) {
    const std::optional<Entry> entry =
        audit::ReadLine(std::string_view(*text).substr(at, end - at));
    if (!entry || entry->number != number + 1 ||
        audit::EntryHash(hash, entry->body) != entry->hash) {
      return NotItsOwn(log_.path(), "entry " + std::to_string(number + 1) + " is not its own");
    }
    at = end + 1;
    if (entry->kind == "checkpoint") {
      if (!audit::IsSigned(*entry, hash)) {
        return NotItsOwn(log_.path(), "entry " + std::to_string(number + 1) + " is not signed");
      }
      taken = {entry->number, head_.bytes + at, entry->hash, "", ""};
    }
    ++number;
    hash = entry->hash;
  }
  if (taken.bytes < size) {
    const Status cut = log_.CutTo(taken.bytes);
    if (!cut) {
      return cut;
    }
  }
  head_ = taken;
  return {};
}

// The key that the log says signs next; completes a rotation that was interrupted.
Status FileAuditLog::ChooseKey() {
  const std::size_t room = 2 * (audit::kLineBytesMax + 1);
  const Result<std::string> text =
      log_.Read(head_.bytes - std::min(head_.bytes, room), head_.bytes);
  if (!text) {
    return std::unexpected(text.error());
  }
  const std::vector<Entry> last = LastTwo(*text);
  if (last.size() < 2 || last[0].hash != head_.hash || last[0].kind != "checkpoint" ||
      audit::EntryHash(last[1].hash, last[0].body) != last[0].hash) {
    return NotItsOwn(log_.path(), "it does not end as its head says");
  }
  const Entry& says = last[1].kind == "rotate" ? last[1] : last[0];
  const std::string wanted = says.json.value("key", "");
  Result<SigningKey> key = ReadKey("key");
  if (key && key->public_key != wanted && audit::Exists(PathOf("key.next"))) {
    Result<SigningKey> next = ReadKey("key.next");
    if (next && next->public_key == wanted) {
      const Status moved = audit::Rename(PathOf("key.next"), PathOf("key"));
      if (!moved) {
        return moved;
      }
      key = std::move(next);
    }
  }
  if (!key) {
    return std::unexpected(key.error());
  }
  if (key->public_key != wanted) {
    return NotItsOwn(PathOf("key"), "it is not the key that the log was signed with");
  }
  key_ = *key;
  const Status shown = audit::WriteWhole(PathOf("public_key"), key_.public_key + "\n", false);
  return shown ? WriteHead(audit::NewHead(head_.entries, head_.bytes, head_.hash, key_)) : shown;
}

Status FileAuditLog::RotateKey() {
  const Locked lock(*this);
  const Status fresh = lock.status() ? Refresh() : lock.status();
  if (!fresh) {
    return fresh;
  }
  const SigningKey next = NewSigningKey();
  const Status kept = audit::WriteWhole(PathOf("key.next"), next.secret_key + "\n", true);
  if (!kept) {
    return kept;
  }
  Json body = audit::Body(head_.entries + 1, "rotate");
  body["key"] = next.public_key;
  const Status committed = Commit({body});
  return committed ? ChooseKey() : committed;
}

Result<std::size_t> FileAuditLog::Erase(const std::function<bool(const AuditOpening&)>& which) {
  const Locked lock(*this);
  const Status fresh = lock.status() ? Refresh() : lock.status();
  if (!fresh) {
    return std::unexpected(fresh.error());
  }
  const Result<AppendFile> file = AppendFile::Open(PathOf("openings"), true);
  const Result<std::size_t> size = file ? file->Size() : std::unexpected(file.error());
  const Result<std::string> text = size ? file->Read(0, *size) : std::unexpected(size.error());
  if (!text) {
    return std::unexpected(text.error());
  }
  std::string kept;
  std::set<std::int64_t> erased;
  std::size_t at = 0;
  for (std::size_t end = text->find('\n'); end != std::string::npos; end = text->find('\n', at)) {
    const std::string_view line = std::string_view(*text).substr(at, end - at);
    const std::optional<AuditOpening> opening = audit::ReadOpening(line);
    if (opening && which(*opening)) {
      erased.insert(opening->entry);
    } else {
      kept += std::string(line) + "\n";
    }
    at = end + 1;
  }
  std::vector<Json> bodies;
  for (auto it = erased.begin(); it != erased.end();) {
    Json body = audit::Body(head_.entries + 1 + static_cast<std::int64_t>(bodies.size()), "erased");
    body["entries"] = Json::array();
    for (std::size_t i = 0; i < kErasedInOneEntry && it != erased.end(); ++i, ++it) {
      body["entries"].push_back(static_cast<std::uint64_t>(*it));
    }
    bodies.push_back(std::move(body));
  }
  if (bodies.empty()) {
    return std::size_t{0};
  }
  Status status = Commit(bodies);
  if (status) {
    status = audit::WriteWhole(PathOf("openings"), kept, true);
  }
  return status ? Result<std::size_t>(erased.size()) : std::unexpected(status.error());
}

}  // namespace

bool HasAuditLog(const std::string& data_folder) {
  return audit::Exists(data_folder + "/audit/log");
}

Result<std::unique_ptr<AuditLog>> OpenAuditLog(const std::string& data_folder, bool create) {
  const std::string folder = data_folder + "/audit";
  if (!create && !HasAuditLog(data_folder)) {
    return NoAuditLog(data_folder);
  }
  const Status made = audit::MakePrivateFolder(folder);
  if (!made) {
    return std::unexpected(made.error());
  }
  Result<AppendFile> file = AppendFile::Open(folder + "/log", true);
  if (!file) {
    return std::unexpected(file.error());
  }
  auto log = std::make_unique<FileAuditLog>(folder, std::move(*file));
  const Status begun = log->Begin();
  if (!begun) {
    return std::unexpected(begun.error());
  }
  return log;
}

Result<std::string> AuditHead(const std::string& data_folder) {
  if (!HasAuditLog(data_folder)) {
    return NoAuditLog(data_folder);
  }
  return ReadFile(data_folder + "/audit/head", kHeadBytesMax);
}

}  // namespace safeguard::storage
