// What a client accepts (RFC 9110 §12.5.1), and what a route answers with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/api/routes.h"

namespace safeguard::http {

// Whether the header names one of `types`; parameters but for q=0 do not count, and an absent or
// empty header names all.
bool Accepts(std::string_view header, const std::vector<std::string>& types);

// The media types of a route's good answers, as the OpenAPI document says; none for a route that is
// not in it, and for those whose shape is another's: who speaks that says what he likes.
const std::vector<std::string>& AnswerTypes(const Route& route);

}  // namespace safeguard::http
