// A policy's words without their dress.
#pragma once

#include <string>
#include <string_view>

#include "moderation/policy.h"

namespace safeguard::judges {

// `text` in one line without Markdown marks, HTML tags, link targets, and brackets that hold
// nothing but ids ("(SP2.a, SP2.b)", "(#SP)"); without punctuation at its end that would join badly
// to what follows.
std::string PlainText(std::string_view text, const moderation::Policy& policy);

}  // namespace safeguard::judges
