#include "apps/pull/download_job.h"

#include <utility>

#include "apps/pull/http_fields.h"
#include "apps/pull/repository.h"
#include "base/check.h"

namespace safeguard::apps::pull {

HttpRequest DownloadJob::Request() {
  lie_.clear();
  ignores_ranges_ = false;
  asked_from_ = position_;
  asked_range_ = !whole_ && (position_ > 0 || range_.end < task_.file.size);
  HttpRequest request;
  request.url = task_.url;
  if (asked_range_) {
    request.range = ByteRange{position_, range_.end};
  }
  return request;
}

void DownloadJob::BecomeWhole() {
  whole_ = true;
  task_.single = true;
  range_ = {0, task_.file.size};
  Rewind();
}

void DownloadJob::Rewind() {
  CHECK(whole_);
  position_ = 0;
  asked_from_ = 0;
  task_.part->Clear();
}

bool DownloadJob::Lies(std::string what) {
  lie_ = std::move(what);
  return false;
}

bool DownloadJob::IsOtherVersion(const HttpHead& head) {
  const std::string version = VersionOf(head);
  return !task_.file.etag.empty() && !version.empty() && version != task_.file.etag;
}

bool DownloadJob::OnHead(const HttpHead& head) {
  if (head.status != 200 && head.status != 206) {
    return false;
  }
  if (IsOtherVersion(head)) {
    fatal_ = Error{ErrorCode::kUnavailable, task_.asked.what + " changed while it was being pulled",
                   "run the same command again: it begins anew"};
    return false;
  }
  const std::string encoding = head.Field("content-encoding");
  if (!encoding.empty() && encoding != "identity") {
    return Lies("is sent in the encoding " + encoding + ", which was not asked for");
  }
  const std::string size = std::to_string(task_.file.size);
  if (head.status == 206) {
    const auto range = ParseContentRange(head.Field("content-range"));
    const bool right = asked_range_ && range && range->range.begin == position_ &&
                       range->range.end <= range_.end &&
                       range->total.value_or(task_.file.size) == task_.file.size;
    return right || Lies("is answered with the range \"" + head.Field("content-range") +
                         "\", not the bytes from " + std::to_string(position_) + " of " + size);
  }
  if (head.content_length && *head.content_length != task_.file.size) {
    const bool page = head.Field("content-type").starts_with("text/html");
    return Lies("is " + size + " bytes long, but " + std::to_string(*head.content_length) +
                " are offered" + (page ? ", as a web page" : ""));
  }
  if (asked_range_ && (position_ != 0 || task_.single)) {  // single: another job has it
    ignores_ranges_ = true;
    return false;
  }
  if (asked_range_) {  // from the beginning: the answer can be used as it is
    whole_ = true;
    task_.single = true;
    range_.end = task_.file.size;
  }
  return true;
}

bool DownloadJob::OnBody(std::string_view bytes) {
  const std::uint64_t left = range_.end - position_;
  const std::string_view ours = bytes.substr(0, left);
  const Status written = task_.part->Write(position_, ours);
  if (!written) {
    fatal_ = written.error();
    return false;
  }
  task_.part->Advance(position_, position_ + ours.size());
  position_ += ours.size();
  if (bytes.size() <= left) {
    return true;
  }
  const std::string what = "is sent with more bytes than it has";
  if (task_.file.checksum.kind == ChecksumKind::kNone) {  // nothing else would show which are right
    fatal_ = Error{ErrorCode::kCorruptFile, task_.asked.what + " " + what,
                   "the server or a proxy is at fault; run the same command later"};
  }
  return Lies(what);
}

}  // namespace safeguard::apps::pull
