#include "apps/pull/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace safeguard::apps::pull {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string Part(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return "";
  }
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::unexpected<Error> BadUrl(const std::string& text, const std::string& why) {
  return Fail(ErrorCode::kInvalidInput, "not a URL that can be fetched: " + text + " (" + why + ")",
              "a URL looks like https://host/path, without user name or password");
}

Result<Url> PartsOf(CURLU* handle, const std::string& text) {
  curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  Url url;
  url.scheme = Part(handle, CURLUPART_SCHEME, 0);
  url.host = Part(handle, CURLUPART_HOST, 0);
  url.port = Part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  url.path = Part(handle, CURLUPART_PATH, 0);
  url.text = Part(handle, CURLUPART_URL, 0);
  std::ranges::transform(url.host, url.host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if ((url.scheme != "http" && url.scheme != "https") || url.host.empty()) {
    return BadUrl(text, "only http and https");
  }
  return url;
}

std::string Escape(std::string_view text, bool keep_slash) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace

Result<Url> ParseUrl(const std::string& text) {
  const Handle handle(curl_url(), &curl_url_cleanup);
  const CURLUcode code =
      curl_url_set(handle.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER);
  if (code != CURLUE_OK || text.find('\0') != std::string::npos) {
    return BadUrl(text, code == CURLUE_OK ? "a zero byte in it" : curl_url_strerror(code));
  }
  return PartsOf(handle.get(), text);
}

Result<Url> ResolveUrl(const std::string& base, const std::string& reference) {
  const Handle handle(curl_url(), &curl_url_cleanup);
  if (curl_url_set(handle.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK) {
    return BadUrl(base, "cannot be parsed");
  }
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, reference.c_str(),
                                      CURLU_DISALLOW_USER | CURLU_URLENCODE);
  if (code != CURLUE_OK) {
    return BadUrl(reference, curl_url_strerror(code));
  }
  return PartsOf(handle.get(), reference);
}

std::string EscapeSegment(std::string_view text) {
  return Escape(text, false);
}

std::string EscapePath(std::string_view text) {
  return Escape(text, true);
}

}  // namespace safeguard::apps::pull
