// Kept files as bodies: what comes in is read where it lies, what goes out is read from the store
// while it is sent.
#pragma once

#include <cstddef>
#include <string>

#include "http/api/routes.h"
#include "moderation/file_store.h"

namespace safeguard::http {

// Of a file that is sent, read at once: to find a place in a kept file takes the longer the further
// in it is.
inline constexpr std::size_t kReadAheadBytes = std::size_t{4} << 20;

// The body of a request, wherever it lies; the request outlives it.
moderation::ByteSource BodyOf(const Request& request);
// `size` bytes of `source` from `begin` on.
moderation::ByteSource PartOf(moderation::ByteSource source, std::size_t begin, std::size_t size);

// An answer with the bytes of a file of context.parts.files. What is longer than a piece is read as
// the client takes it, at most kReadAheadBytes beyond what is being sent; when that fails in the
// middle (the file was deleted, the disk fails) the body breaks off before its length, and the log
// says why.
OrProblem<Response> FileBody(const RouteContext& context, const std::string& owner,
                             const std::string& id);

}  // namespace safeguard::http
