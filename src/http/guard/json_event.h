// The JSON of one event: read within limits, its text taken out, what must not pass removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/guard/wire_decoder.h"

namespace safeguard::guard {

using Json = nlohmann::ordered_json;

// A JSON object; anything else is kInvalidInput. Lists and objects nest at most `depth_max` deep.
Result<Json> ReadEvent(std::string_view data, std::size_t depth_max);

// The string at `key` of an object, or empty.
std::string StringAt(const Json& object, const char* key);
// The same where it is one of a format's own words (ids, names of models), else empty: may be sent
// without being judged.
std::string WordAt(const Json& object, const char* key);
// The whole number at `key`, or 0.
std::uint64_t NumberAt(const Json& object, const char* key);
// The same as text: which choice, block, part.
std::string IndexAt(const Json& object, const char* key);
// The member, or a null.
const Json& At(const Json& value, const char* key);

// Removes what cannot be judged and is not needed: log probabilities, token ids, signatures,
// padding, echoes of the request. Returns how many there were.
std::size_t DropOpaque(Json& value);

// Appends every string and every unusual key in `value` as text of kind kField, each in the channel
// "field". kInvalidInput: something in it that cannot be judged.
Status CollectFields(const Json& value, std::vector<WireText>& texts);

// Text in which JSON's escapes are resolved, as a reader of the parsed string would see it. For
// pieces of JSON that may be broken.
std::string Unescaped(std::string_view json);

// One event, as it is sent.
std::string SseFrame(std::string_view name, const Json& data);

}  // namespace safeguard::guard
