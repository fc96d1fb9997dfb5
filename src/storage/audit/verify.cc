#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "storage/audit/entries.h"
#include "storage/audit/files.h"
#include "storage/audit_log.h"

namespace safeguard::storage {
namespace {

using audit::Entry;
using audit::Head;

constexpr std::size_t kHeadBytesMax = 4096;

class Verifier {
 public:
  // A state that the log must have been in: its head, or one that was kept elsewhere.
  void Expect(const std::string& name, const Head& head) { expected_.push_back({name, head}); }

  void Line(std::string_view line) {
    ++line_;
    const std::optional<Entry> entry = audit::ReadLine(line);
    if (!entry) {
      Find("is no line of an audit log");
      previous_.reset();
      ++expected_number_;
      return;
    }
    const std::string name = "entry " + std::to_string(entry->number);
    if (entry->number > expected_number_) {
      Find(name + " stands where " + std::to_string(expected_number_) +
           " should: entries were removed or moved");
    } else if (entry->number < expected_number_) {
      Find(name + " stands behind later ones: entries were moved or repeated");
    } else if (previous_ && audit::EntryHash(*previous_, entry->body) != entry->hash) {
      Find(name + " is not what was written, or does not follow what stands before it");
    }
    ++report_.entries;
    ++unsigned_;
    Read(*entry);
    for (const auto& [what, head] : expected_) {
      if (head.entries == entry->number) {
        passed_.push_back(what);
        if (head.hash != entry->hash) {
          Find(name + " is not the one that " + what + " signs: the log was written anew");
        }
      }
    }
    expected_number_ = entry->number + 1;
    previous_ = entry->hash;
    report_.last_hash = entry->hash;
  }

  void HalfLine() { ++report_.unacknowledged; }

  void Finish(const std::string& trusted_key) {
    report_.unacknowledged += unsigned_;
    line_ = 0;
    for (const auto& [what, head] : expected_) {
      if (std::ranges::find(keys_, head.key) == keys_.end()) {
        Find(what + " is signed with a key that the log does not name");
      } else if (std::ranges::find(passed_, what) == passed_.end()) {
        Find(what + " signs " + std::to_string(head.entries) + " entries and the log ends with " +
             std::to_string(expected_number_ - 1) + ": its end was cut off");
      }
    }
    if (!trusted_key.empty() && std::ranges::find(signed_, trusted_key) == signed_.end()) {
      Find("nothing in the log is signed with the key that is trusted");
    }
    report_.keys = signed_.size();
    report_.public_key = key_;
  }

  void Opening(const AuditOpening& opening) {
    const auto found = commitments_.find(opening.entry);
    if (found != commitments_.end() && audit::Commitment(opening) == found->second) {
      opened_[opening.entry] = true;
    } else {
      opened_.emplace(opening.entry, false);
    }
  }

  void FinishOpenings() {
    for (const auto& [number, commitment] : commitments_) {
      const auto found = opened_.find(number);
      report_.openings += found != opened_.end() && found->second ? 1 : 0;
      report_.erased += found == opened_.end() ? 1 : 0;
      if (found != opened_.end() && !found->second) {
        Find("the opening of entry " + std::to_string(number) + " is not what was committed to");
      }
    }
  }

  void Find(std::string what) {
    if (report_.findings.size() < kAuditFindingsMax) {
      report_.findings.push_back({line_, std::move(what)});
    }
  }

  [[nodiscard]] AuditReport TakeReport() { return std::move(report_); }

 private:
  void Read(const Entry& entry) {
    const std::string name = "entry " + std::to_string(entry.number);
    const std::string key = entry.json.contains("key") && entry.json["key"].is_string()
                                ? entry.json["key"].get<std::string>()
                                : std::string();
    if ((entry.kind == "begin") != (line_ == 1)) {
      Find(name + ": an audit log has one beginning, and that is its first line");
    }
    if (entry.kind == "begin") {
      key_ = key;
      keys_ = {key};
    } else if (entry.kind == "verdict") {
      ++report_.verdicts;
      const auto commitment = entry.json.find("commitment");
      if (commitment != entry.json.end() && commitment->is_string()) {
        commitments_[entry.number] = commitment->get<std::string>();
      }
    } else if (entry.kind == "rotate") {
      next_key_ = key;
      keys_.push_back(key);
    } else if (entry.kind == "checkpoint") {
      Checkpoint(entry, key, name);
    } else if (entry.kind != "erased") {
      Find(name + " is of a kind that this version does not know");
    }
  }

  void Checkpoint(const Entry& entry, const std::string& key, const std::string& name) {
    ++report_.checkpoints;
    unsigned_ = 0;
    if (key != key_) {
      Find(name + " is signed with another key than the log names");
    } else if (previous_ && !audit::IsSigned(entry, *previous_)) {
      Find(name + ": the signature is not of what stands before it");
    } else if (std::ranges::find(signed_, key) == signed_.end()) {
      signed_.push_back(key);
    }
    if (!next_key_.empty()) {
      key_ = std::exchange(next_key_, "");
    }
  }

  AuditReport report_;
  std::size_t line_ = 0;
  std::int64_t expected_number_ = 1;
  std::optional<std::string> previous_ = audit::FirstHash();
  std::string key_;
  std::string next_key_;
  std::vector<std::string> keys_;
  std::vector<std::string> signed_;
  std::size_t unsigned_ = 0;
  std::vector<std::pair<std::string, Head>> expected_;
  std::vector<std::string> passed_;
  std::map<std::int64_t, std::string> commitments_;
  std::map<std::int64_t, bool> opened_;
};

// Calls `line` for each line of the file, and says whether it ends with a line's end.
template <typename Function>
Result<bool> ForEachLine(const std::string& path, const Function& line) {
  const Result<std::unique_ptr<MappedFile>> file = MappedFile::Open(path);
  if (!file) {
    return std::unexpected(file.error());
  }
  const std::span<const std::byte> bytes = (*file)->bytes();
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    line(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return text.empty();
}

Status ReadOpenings(const std::string& path, Verifier& verifier) {
  if (audit::Exists(path)) {
    const Result<bool> read = ForEachLine(path, [&](std::string_view line) {
      if (const std::optional<AuditOpening> opening = audit::ReadOpening(line)) {
        verifier.Opening(*opening);
      }
    });
    if (!read) {
      return std::unexpected(read.error());
    }
  }
  verifier.FinishOpenings();
  return {};
}

}  // namespace

Result<AuditReport> VerifyAuditLog(const std::string& data_folder,
                                   const AuditVerification& verification) {
  const std::string folder = data_folder + "/audit";
  if (!HasAuditLog(data_folder)) {
    return Fail(ErrorCode::kNotFound, "there is no audit log in " + data_folder,
                "name its data folder with --data-dir; safeguard audit init makes one");
  }
  Verifier verifier;
  const Result<std::string> text = ReadFile(folder + "/head", kHeadBytesMax);
  const std::optional<Head> head = text ? audit::ReadHead(*text) : std::nullopt;
  if (!head || !audit::IsSigned(*head)) {
    verifier.Find(head ? "its head is not signed"
                       : "its head is missing or damaged: entries may have been cut off its end");
  } else {
    verifier.Expect("its head", *head);
  }
  for (std::size_t i = 0; i < verification.anchors.size(); ++i) {
    const std::optional<Head> anchor = audit::ReadHead(verification.anchors[i]);
    if (!anchor || !audit::IsSigned(*anchor)) {
      return Fail(ErrorCode::kInvalidInput, "an anchor is no signed head of an audit log",
                  "keep what safeguard audit head prints");
    }
    verifier.Expect("anchor " + std::to_string(i + 1), *anchor);
  }
  const Result<bool> whole =
      ForEachLine(folder + "/log", [&](std::string_view line) { verifier.Line(line); });
  if (!whole) {
    return std::unexpected(whole.error());
  }
  if (!*whole) {
    verifier.HalfLine();
  }
  verifier.Finish(verification.public_key);
  const Status openings = ReadOpenings(folder + "/openings", verifier);
  if (!openings) {
    return std::unexpected(openings.error());
  }
  return verifier.TakeReport();
}

}  // namespace safeguard::storage
