// The classifiers of the data folder, for the judge.
#pragma once

#include <string>

#include "base/result.h"
#include "judges/dedicated_judge.h"

namespace safeguard::apps {

// What answers for each policy in `data_folder` at the moment of asking.
judges::ClassifierSource InstalledClassifiers(const std::string& data_folder);

// All that answers there, as one string that changes with it.
Result<std::string> ClassifiersIdentity(const std::string& data_folder);

}  // namespace safeguard::apps
