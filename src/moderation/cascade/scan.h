// One fast pass that says which stages of the views could find anything at all.
#pragma once

#include <string_view>

namespace safeguard::moderation {

// False means that the stage would change nothing; true only that it is worth running.
struct Suspicion {
  bool undrawn = false;  // a character that is not plain ASCII text
  bool encoded = false;
  bool spaced = false;
  bool leet = false;
  bool turned = false;

  bool any() const { return undrawn || encoded || spaced || leet || turned; }
};

Suspicion Scan(std::string_view text);

}  // namespace safeguard::moderation
