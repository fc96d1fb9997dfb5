// Small cuts through the text of an answer: what a model puts around its label.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace safeguard::judges {

// ASCII lower case, runs of white space as one space, none at the ends; typographic apostrophes and
// quotes as ASCII ones. What answers are compared by.
std::string FoldAnswer(std::string_view text);

// Without white space at both ends.
std::string_view TrimAnswer(std::string_view text);

// Without a surrounding ``` fence (and its language), then without surrounding quotes, backticks
// and Markdown emphasis.
std::string_view Unwrap(std::string_view text);

// What follows an answer cue at the start of the text ("Answer (1 or 0): 1" gives "1"; lines
// "Content: ..." before it are passed over); nothing when the text starts with no cue.
std::optional<std::string_view> AfterCue(std::string_view text);

// Whether the text begins as models begin when they will not answer. The common languages.
bool IsRefusal(std::string_view text);

// The first balanced {...} of the text, strings respected; empty when there is none.
std::string_view FirstObject(std::string_view text);

}  // namespace safeguard::judges
