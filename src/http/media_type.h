// What a request says about its body: RFC 9110 §8.3 and §8.4, as far as this service takes bodies.
#pragma once

#include <optional>

#include "http/message.h"
#include "http/problem.h"

namespace safeguard::http {

// Why the body cannot be read as JSON, or as a form where `form` asks for one: it is said to be
// something else, to be in another charset than UTF-8, or to be packed. Nothing where it can, or
// where there is none.
std::optional<Problem> CheckBody(const Request& request, bool form);

}  // namespace safeguard::http
