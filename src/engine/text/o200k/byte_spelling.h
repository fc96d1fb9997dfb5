// How tokenizer.json and GGUF spell bytes (GPT-2's bytes_to_unicode): printable Latin-1 characters
// stand for themselves, every other byte for a character from U+0100 on.
#pragma once

#include <string>
#include <string_view>

namespace safeguard::engine {

// Appends the bytes that `spelling` stands for; false, leaving some of them, when it holds another
// character.
bool AppendSpelledBytes(std::string_view spelling, std::string& bytes);

std::string SpellBytes(std::string_view bytes);

}  // namespace safeguard::engine
