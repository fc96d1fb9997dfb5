// Arbitrary bytes as header fields, names, URLs, and the files that a pull keeps for itself.
#include <cstdint>
#include <string>

#include "apps/pull/http_fields.h"
#include "apps/pull/part_state.h"
#include "apps/pull/pull_record.h"
#include "apps/pull/pull_source.h"
#include "apps/pull/remote_list.h"
#include "apps/pull/url.h"
#include "base/check.h"

namespace pull = safeguard::apps::pull;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto range = pull::ParseContentRange(text)) {
    CHECK(range->range.begin < range->range.end);
    CHECK(!range->total || range->range.end <= *range->total);
  }
  if (const auto link = pull::ParseNextLink(text)) {
    CHECK(link->size() < size);
    const auto next = pull::ResolveUrl("https://host/a?b", *link);
    CHECK(!next || next->scheme == "http" || next->scheme == "https");
  }
  if (const auto wait = pull::ParseRetryAfter(text, 1'700'000'000)) {
    CHECK(wait->count() >= 0 && wait->count() <= 366 * 24 * 3600);
  }
  const auto source = pull::ParsePullSource(text, "", "https://host/prefix");
  if (source) {
    CHECK(source->repository.empty() != source->url.empty());
    CHECK(source->url.empty() || pull::CheckRemotePath(source->file));
    const std::string folder = source->FolderName();
    CHECK(folder.find('/') == std::string::npos && !folder.empty() && folder != "." &&
          folder != "..");
    CHECK(pull::ParseUrl(source->url.empty() ? source->Page() : source->url));
  }
  if (const auto state = pull::ParsePartState(text)) {
    CHECK(pull::ParsePartState(pull::FormatPartState(*state)).has_value());
  }
  CHECK(pull::ParsePullRecord(text).files.size() <= size);
  return 0;
}
