// A screen that is another judge for some policies: a classifier trained for one policy beside the
// screen that reads all of them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "moderation/judge.h"

namespace safeguard::apps {

// `own` by the ids of the policies that they judge; `other` judges all the rest. REQUIRES: other.
// Thread-safe as they are.
std::unique_ptr<moderation::Judge> PolicyScreens(
    std::unique_ptr<moderation::Judge> other,
    std::map<std::string, std::shared_ptr<moderation::Judge>> own);

}  // namespace safeguard::apps
