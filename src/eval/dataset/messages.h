// Chat messages in the shapes that people store them in.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"

namespace safeguard::eval {

// [{"role", "content"}] as in chat APIs (content a text, or parts of {"type": "text", "text"}), or
// [{"from", "value"}]. A role that is not known is an error that names it; so is a part that is not
// text, because it could not be judged. At least one message, at most kMessagesMax.
Result<std::vector<moderation::Message>> ReadChatMessages(const nlohmann::json& value);

}  // namespace safeguard::eval
