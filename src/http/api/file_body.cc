#include "http/api/file_body.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "http/api/file_json.h"
#include "http/disk_threads.h"
#include "http/domain_json.h"

namespace safeguard::http {
namespace {

using moderation::FileInfo;
using moderation::kFilePieceBytes;

// Reads a file into a stream, a piece whenever the one before has been taken. The stream owns it.
class FilePump : public std::enable_shared_from_this<FilePump> {
 public:
  FilePump(const RouteContext& context, FileInfo file, const std::shared_ptr<BodyStream>& body)
      : context_(context), file_(std::move(file)), body_(body) {}

  // From any thread, also under the stream's lock. Threads that run nothing any more are those of a
  // service that has ended, and then nobody sends the rest.
  void Schedule() {
    if (!scheduled_.exchange(true)) {
      static_cast<void>(context_.pieces->Run([self = shared_from_this()] { self->Fill(); }));
    }
  }

 private:
  void Fill() {
    const std::shared_ptr<BodyStream> body = body_.lock();
    while (body != nullptr && !body->closed() && at_ < file_.bytes) {
      if (body->waiting() > 0) {
        scheduled_.store(false);
        // What was taken before this was said has woken nobody.
        if (body->waiting() > 0 || scheduled_.exchange(true)) {
          return;
        }
      }
      ReadPiece(*body);
    }
  }

  void ReadPiece(BodyStream& body) {
    const std::size_t wanted = std::min(kReadAheadBytes, file_.bytes - at_);
    const Result<std::string> piece =
        context_.parts.files->ReadPart(file_.owner, file_.id, at_, wanted);
    if (!piece || piece->size() != wanted) {
      context_.parts.log_line(JsonLine(
          {{"level", "error"},
           {"event", "file-broke-off"},
           {"detail", file_.id + ": " + (piece ? "it is too short" : Describe(piece.error()))}}));
      at_ = file_.bytes;
      body.Break();
      return;
    }
    at_ += wanted;
    body.Write(*piece);
    if (at_ == file_.bytes) {
      body.End();
    }
  }

  const RouteContext& context_;
  const FileInfo file_;
  std::weak_ptr<BodyStream> body_;
  std::atomic<bool> scheduled_{false};  // somebody fills the stream, or will
  std::size_t at_ = 0;                  // of whoever fills it
};

}  // namespace

moderation::ByteSource BodyOf(const Request& request) {
  if (request.spool == nullptr) {
    return moderation::SourceOf(request.body);
  }
  return {request.spool->size(), [spool = request.spool](std::size_t from, std::size_t count) {
            return spool->Read(from, count);
          }};
}

moderation::ByteSource PartOf(moderation::ByteSource source, std::size_t begin, std::size_t size) {
  return {size, [read = std::move(source.read), begin, size](std::size_t from, std::size_t count) {
            const std::size_t at = std::min(from, size);
            return read(begin + at, std::min(count, size - at));
          }};
}

OrProblem<Response> FileBody(const RouteContext& context, const std::string& owner,
                             const std::string& id) {
  moderation::FileStore& files = *context.parts.files;
  const Result<FileInfo> file = files.Find(owner, id);
  if (!file) {
    return std::unexpected(FileProblem(file.error()));
  }
  Response response;
  if (file->bytes <= kFilePieceBytes || context.pieces == nullptr) {
    Result<std::string> bytes = files.Read(owner, id);
    if (!bytes) {
      return std::unexpected(FileProblem(bytes.error()));
    }
    response.body = std::move(*bytes);
    return response;
  }
  response.stream = std::make_shared<BodyStream>();
  response.stream_bytes = file->bytes;
  const auto pump = std::make_shared<FilePump>(context, *file, response.stream);
  response.stream->OnTaken([pump] { pump->Schedule(); });
  pump->Schedule();
  return response;
}

}  // namespace safeguard::http
