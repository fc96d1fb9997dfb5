// Where policies and verdicts are kept.
#pragma once

#include <string>

#include "base/result.h"

namespace safeguard::apps {

// --data-dir where given, else $SAFEGUARD_DATA, else $XDG_DATA_HOME/safeguard, else
// ~/.local/share/safeguard. Fails when none of these is known.
Result<std::string> DataFolder(const std::string& flag);

// The same, but empty unless the flag or $SAFEGUARD_DATA says it: commands that work without a
// store do not go looking for one.
std::string NamedDataFolder(const std::string& flag);

// Who does something to the store: `flag`, else $SAFEGUARD_USER, else the system's user name.
Result<std::string> ActingPerson(const std::string& flag);

}  // namespace safeguard::apps
