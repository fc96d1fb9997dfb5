// What bytes that are not UTF-8 look like, so that an error can name the encoding.
#pragma once

#include <string>
#include <string_view>

namespace safeguard::eval {

// "UTF-16LE" or "UTF-16BE" when every second byte of text in a Latin script is NUL; else empty.
std::string GuessWideEncoding(std::string_view bytes);

// Of a text that is not valid UTF-8: "Windows-1252" or "Latin-1" when its foreign bytes stand as
// letters and marks of Western text do; else empty.
std::string GuessEncoding(std::string_view text);

}  // namespace safeguard::eval
