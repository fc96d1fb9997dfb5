// What the implementations of FileStore and BatchStore share.
#include <algorithm>
#include <array>
#include <utility>

#include "base/hash.h"
#include "base/random_bytes.h"
#include "moderation/batch_store.h"
#include "moderation/file_store.h"

namespace safeguard::moderation {
namespace {

constexpr std::array<std::pair<BatchState, const char*>, 7> kStates = {
    {{BatchState::kValidating, "validating"},
     {BatchState::kInProgress, "in_progress"},
     {BatchState::kCompleted, "completed"},
     {BatchState::kFailed, "failed"},
     {BatchState::kExpired, "expired"},
     {BatchState::kCancelling, "cancelling"},
     {BatchState::kCancelled, "cancelled"}}};

}  // namespace

Result<FileInfo> FileStore::Add(const NewFile& file, TimeMs now) {
  return AddFrom(file, SourceOf(file.bytes), now);
}

ByteSource SourceOf(std::string_view bytes) {
  return {bytes.size(), [bytes](std::size_t from, std::size_t count) -> Result<std::string> {
            return std::string(bytes.substr(std::min(from, bytes.size()), count));
          }};
}

ByteSource SourceOf(FileStore& files, const FileInfo& file) {
  return {file.bytes,
          [&files, owner = file.owner, id = file.id](std::size_t from, std::size_t count) {
            return files.ReadPart(owner, id, from, count);
          }};
}

Status ForEachPiece(const ByteSource& source,
                    const std::function<Status(std::size_t at, std::string_view piece)>& take) {
  for (std::size_t at = 0; at < source.size;) {
    const std::size_t wanted = std::min(kFilePieceBytes, source.size - at);
    const Result<std::string> piece = source.read(at, wanted);
    if (!piece) {
      return std::unexpected(piece.error());
    }
    if (piece->size() != wanted) {
      return Fail(ErrorCode::kUnavailable, "the bytes end before they should", "send them again");
    }
    if (const Status taken = take(at, *piece); !taken) {
      return taken;
    }
    at += wanted;
  }
  return {};
}

Status CheckNewFile(const NewFile& file) {
  if (file.owner.empty() || file.purpose.empty()) {
    return Fail(ErrorCode::kInvalidInput, "a file needs an owner and a purpose");
  }
  if (file.name.size() > kFileNameBytesMax) {
    return Fail(ErrorCode::kLimit, "a file's name has at most 256 bytes", "shorten it");
  }
  if (file.notes.size() > kFileNotesBytesMax) {
    return Fail(ErrorCode::kLimit, "a file's notes have at most 16384 bytes", "shorten them");
  }
  return {};
}

Status CheckRoom(const FileLimits& limits, std::size_t files, std::size_t bytes, std::size_t more) {
  if (files >= limits.files_max) {
    return Fail(ErrorCode::kLimit, "there are " + std::to_string(files) + " files, as many as may",
                "delete some of them");
  }
  if (bytes + more > limits.bytes_max) {
    return Fail(ErrorCode::kLimit, "the files hold as many bytes as they may",
                "delete some of them");
  }
  return {};
}

std::string NewId(const std::string& prefix) {
  return prefix + Blake2bHex(RandomBytes(16)).substr(0, 24);
}

std::unexpected<Error> NoSuchFile(const std::string& id) {
  return Fail(ErrorCode::kNotFound, "there is no file \"" + id + "\"", "it may have been deleted");
}

const char* ToString(BatchState state) {
  return std::ranges::find(kStates, state, &std::pair<BatchState, const char*>::first)->second;
}

std::optional<BatchState> BatchStateFrom(std::string_view text) {
  const auto found = std::ranges::find_if(kStates, [&](const auto& s) { return s.second == text; });
  return found == kStates.end() ? std::nullopt : std::optional(found->first);
}

bool IsOver(BatchState state) {
  return state == BatchState::kCompleted || state == BatchState::kFailed ||
         state == BatchState::kExpired || state == BatchState::kCancelled;
}

Status CheckNewBatch(const NewBatch& batch) {
  if (batch.owner.empty() || batch.endpoint.empty() || batch.input_file.empty()) {
    return Fail(ErrorCode::kInvalidInput, "a batch needs an owner, an endpoint and a file");
  }
  if (batch.metadata.size() > kBatchMetadataBytesMax) {
    return Fail(ErrorCode::kLimit, "a batch's metadata has at most 16384 bytes", "shorten it");
  }
  return {};
}

Status CheckOpen(std::size_t open) {
  if (open >= kBatchesOpenMax) {
    return Fail(ErrorCode::kLimit, std::to_string(open) + " batches are not done, as many as may",
                "wait until one is done, or cancel it");
  }
  return {};
}

std::unexpected<Error> NoSuchBatch(const std::string& id) {
  return Fail(ErrorCode::kNotFound, "there is no batch \"" + id + "\"");
}

std::unexpected<Error> BatchOver(const Batch& batch) {
  return Fail(ErrorCode::kInvalidInput,
              "batch " + batch.id + " is " + ToString(batch.state) + " already");
}

std::unexpected<Error> BatchLeaseLost(const Batch& held) {
  return Fail(ErrorCode::kNotFound, "lease " + std::to_string(held.lease) + " of batch " + held.id +
                                        " is not the newest: another worker has it");
}

std::string BatchFileName(const Batch& batch, bool failed) {
  return batch.id + (failed ? "_error.jsonl" : "_output.jsonl");
}

}  // namespace safeguard::moderation
