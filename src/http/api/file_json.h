// What the routes that keep files share: whose they are, how they come in and how they are told.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "http/api/routes.h"
#include "http/multipart.h"
#include "moderation/file_store.h"

namespace safeguard::http {

// 409 where this server keeps none.
OrProblem<moderation::FileStore*> FilesOf(const RouteContext& context);

inline constexpr std::size_t kFormFieldBytesMax = 16'384;  // of a part that is no file

struct SentFile {
  moderation::NewFile file;      // without its bytes
  moderation::ByteSource bytes;  // which lie in the request
};

// The form's file, as `purpose`: its part "file"; other parts only of the names in `fields`, and
// their values there. The request outlives it.
OrProblem<SentFile> ReadUpload(const Request& request, const std::string& purpose,
                               std::map<std::string, std::string>& fields);

Problem FileProblem(const Error& error);

// In OpenAI's shape.
nlohmann::ordered_json FileJson(const moderation::FileInfo& file);

// A route that waits for the disk and whose problems OpenAI's clients can read.
Route OpenAiDiskRoute(const RouteContext& context, const char* method, const char* pattern,
                      OrProblem<Response> (*function)(const RouteContext&, const Request&));

}  // namespace safeguard::http
