// A text as the word-based classifier reads it, in training and in judging alike.
#pragma once

#include <string>
#include <string_view>

namespace safeguard::judges {

// Lower case, one line, words apart by single spaces. Letters, marks and digits make words; every
// other drawn character is a word of its own, and so is every ideograph and kana, whose languages
// set no spaces. Characters that no reader sees are dropped. Words longer than 100 bytes are cut.
// Nothing that the library takes for a label or a line end can come out. Thread-safe; linear.
std::string FeatureText(std::string_view text);

}  // namespace safeguard::judges
