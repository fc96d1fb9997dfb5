// Content made harmless to read for a judge that takes orders: spotlighted (Hines et al. 2024) and
// fenced by a nonce that the content cannot know. And content with a known violation appended,
// which a judge that is still itself must flag.
#pragma once

#include <string>

#include "moderation/clock.h"
#include "moderation/content.h"
#include "moderation/verdict.h"

namespace safeguard::moderation::route {

// 16 hexadecimal digits.
std::string MakeNonce(RandomSource& random);

// Every message between two lines with the nonce, each line of it behind a mark with the nonce, and
// one sentence before that says what this is.
Content Fenced(const Content& content, const std::string& nonce);

// The last message goes on with `violation` as a paragraph of its own.
Content WithViolation(const Content& content, const std::string& violation);

// What a judge said of fenced content, said of the content itself: evidence that stands word for
// word in the original is found again there, other evidence is left out.
void Unfence(const Content& original, Verdict& verdict);

}  // namespace safeguard::moderation::route
