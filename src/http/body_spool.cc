#include "http/body_spool.h"

namespace safeguard::http {

Status BodySpool::Append(std::string_view bytes) {
  hashing_.Update(bytes);
  return file_->Append(bytes);
}

Result<std::shared_ptr<BodySpool>> SpoolFolder::Open() {
  if (open_->fetch_add(1) >= kSpoolsMax) {
    --*open_;
    return Fail(ErrorCode::kLimit, "more long bodies are on their way than may",
                "wait as long as Retry-After says, then send again");
  }
  Result<std::unique_ptr<UnnamedFile>> file = UnnamedFile::Create(folder_);
  if (!file) {
    --*open_;
    return std::unexpected(file.error());
  }
  return std::shared_ptr<BodySpool>(new BodySpool(std::move(*file), open_));
}

}  // namespace safeguard::http
