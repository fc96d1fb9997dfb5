#include "http/guard/json_event.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "base/json_depth.h"
#include "base/utf8.h"

namespace safeguard::guard {
namespace {

constexpr std::size_t kWordBytesMax = 96;
constexpr std::size_t kOpaqueBytesMin = 512;
constexpr std::size_t kNumbersMax = 8;

// Keys whose values are the format's own words. Others may hold anything.
constexpr std::array<std::string_view, 30> kWordKeys = {"id",
                                                        "object",
                                                        "type",
                                                        "role",
                                                        "model",
                                                        "status",
                                                        "finish_reason",
                                                        "stop_reason",
                                                        "service_tier",
                                                        "system_fingerprint",
                                                        "item_id",
                                                        "call_id",
                                                        "tool_call_id",
                                                        "provider",
                                                        "native_finish_reason",
                                                        "previous_response_id",
                                                        "effort",
                                                        "truncation",
                                                        "tool_choice",
                                                        "container_id",
                                                        "response_id",
                                                        "tool_use_id",
                                                        "reason",
                                                        "code",
                                                        "phase",
                                                        "verbosity",
                                                        "format",
                                                        "speed",
                                                        "inference_geo",
                                                        "prompt_cache_retention"};

// Keys that formats use besides; their values are looked at like any other.
constexpr std::array<std::string_view, 59> kKnownKeys = {"name",
                                                         "choices",
                                                         "delta",
                                                         "index",
                                                         "created",
                                                         "usage",
                                                         "content",
                                                         "refusal",
                                                         "reasoning",
                                                         "reasoning_content",
                                                         "tool_calls",
                                                         "function",
                                                         "function_call",
                                                         "arguments",
                                                         "error",
                                                         "message",
                                                         "param",
                                                         "sequence_number",
                                                         "output_index",
                                                         "content_index",
                                                         "summary_index",
                                                         "output",
                                                         "response",
                                                         "item",
                                                         "part",
                                                         "text",
                                                         "annotations",
                                                         "summary",
                                                         "incomplete_details",
                                                         "created_at",
                                                         "completed_at",
                                                         "temperature",
                                                         "top_p",
                                                         "parallel_tool_calls",
                                                         "store",
                                                         "strict",
                                                         "max_output_tokens",
                                                         "background",
                                                         "top_logprobs",
                                                         "content_block",
                                                         "input",
                                                         "partial_json",
                                                         "thinking",
                                                         "stop_sequence",
                                                         "stop_details",
                                                         "citations",
                                                         "cost",
                                                         "max_tool_calls",
                                                         "frequency_penalty",
                                                         "presence_penalty",
                                                         "annotation",
                                                         "stop",
                                                         "billing",
                                                         "input_schema",
                                                         "context_management",
                                                         "moderation",
                                                         "prompt_cache_key",
                                                         "container",
                                                         "queue_time"};

// Not passed on.
constexpr std::array<std::string_view, 16> kDroppedKeys = {
    "logprobs",          "obfuscation",     "token_ids",
    "prompt_token_ids",  "prompt_logprobs", "encrypted_content",
    "signature",         "instructions",    "tools",
    "metadata",          "prompt",          "user",
    "safety_identifier", "encrypted_index", "reasoning_details",
    "kv_transfer_params"};

// Never understood.
constexpr std::array<std::string_view, 10> kRefusedKeys = {
    "audio",     "images",      "image", "image_url",  "b64_json", "partial_image_b64",
    "file_data", "inline_data", "video", "input_audio"};

bool Has(std::span<const std::string_view> list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

bool IsWord(std::string_view text) {
  return text.size() <= kWordBytesMax && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("-_.:/@+").find(c) != std::string_view::npos;
         });
}

bool IsOpaque(std::string_view text) {
  return text.size() >= kOpaqueBytesMin &&
         text.find_first_of(" \t\r\n") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsUsageKey(std::string_view key) {
  return key.ends_with("_tokens") || key.ends_with("_tokens_details") ||
         key.ends_with("_requests") || key.ends_with("_time");
}

std::unexpected<Error> Refused(std::string what) {
  return Fail(ErrorCode::kInvalidInput,
              "the stream holds " + std::move(what) + ", which the guard cannot judge",
              "turn it off at the upstream");
}

Status CollectString(std::string_view key, const std::string& text, std::vector<WireText>& texts) {
  if (text.empty() || (Has(kWordKeys, key) && IsWord(text))) {
    return {};
  }
  if (IsOpaque(text)) {
    return Refused("a long run of letters without spaces in \"" + std::string(key.substr(0, 40)) +
                   "\"");
  }
  texts.push_back({"field", text, TextKind::kField});
  return {};
}

Status CollectUnder(std::string_view key, const Json& value, std::vector<WireText>& texts) {
  if (value.is_string()) {
    return CollectString(key, value.get_ref<const std::string&>(), texts);
  }
  if (value.is_array() && value.size() > kNumbersMax &&
      std::ranges::all_of(value, [](const Json& item) { return item.is_number(); })) {
    return Refused("a list of numbers");
  }
  Status status;
  if (value.is_array()) {
    for (std::size_t i = 0; status && i < value.size(); ++i) {
      status = CollectUnder(key, value[i], texts);
    }
    return status;
  }
  for (auto it = value.begin(); value.is_object() && status && it != value.end(); ++it) {
    if (Has(kRefusedKeys, it.key()) && !it.value().is_null()) {
      return Refused("\"" + it.key() + "\"");
    }
    const bool known = Has(kWordKeys, it.key()) || Has(kKnownKeys, it.key()) ||
                       Has(kDroppedKeys, it.key()) || Has(kRefusedKeys, it.key()) ||
                       IsUsageKey(it.key());
    if (!known && !it.key().empty()) {
      texts.push_back({"field", it.key(), TextKind::kField});
    }
    status = CollectUnder(it.key(), it.value(), texts);
  }
  return status;
}

std::optional<std::uint32_t> FourHex(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != 4 || error != std::errc() || end != text.data() + 4) {
    return std::nullopt;
  }
  return value;
}

// \uXXXX at `at`, with the second half of a surrogate pair; the bytes taken, or 0.
std::size_t AppendEscaped(std::string_view json, std::size_t at, std::string& out) {
  const auto high = FourHex(json.substr(at + 2, std::min<std::size_t>(4, json.size() - at - 2)));
  if (!high) {
    return 0;
  }
  if (*high >= 0xD800 && *high < 0xE000) {
    const bool pair =
        *high < 0xDC00 && json.substr(at + 6).starts_with("\\u") && json.size() >= at + 12;
    const auto low = pair ? FourHex(json.substr(at + 8, 4)) : std::nullopt;
    if (!low || *low < 0xDC00 || *low >= 0xE000) {
      return 0;
    }
    AppendUtf8(0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00), out);
    return 12;
  }
  AppendUtf8(*high, out);
  return 6;
}

}  // namespace

Result<Json> ReadEvent(std::string_view data, std::size_t depth_max) {
  if (JsonDepth(data) > depth_max) {
    return Fail(ErrorCode::kLimit, "an event nests deeper than " + std::to_string(depth_max),
                "raise json_depth_max, or mend the upstream");
  }
  Json json = Json::parse(data, nullptr, false);
  if (!json.is_object()) {
    return Fail(ErrorCode::kInvalidInput, "an event of the stream is no JSON object",
                "name the stream's wire format, or mend the upstream");
  }
  return json;
}

std::string StringAt(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string WordAt(const Json& object, const char* key) {
  std::string text = StringAt(object, key);
  return IsWord(text) ? text : std::string();
}

std::uint64_t NumberAt(const Json& object, const char* key) {
  const Json& value = At(object, key);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

std::string IndexAt(const Json& object, const char* key) {
  return std::to_string(NumberAt(object, key));
}

const Json& At(const Json& value, const char* key) {
  static const Json kNull;
  if (!value.is_object()) {
    return kNull;
  }
  const auto found = value.find(key);
  return found == value.end() ? kNull : *found;
}

std::size_t DropOpaque(Json& value) {
  std::size_t dropped = 0;
  if (value.is_array()) {
    for (Json& item : value) {
      dropped += DropOpaque(item);
    }
  }
  if (!value.is_object()) {
    return dropped;
  }
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (!Has(kDroppedKeys, it.key())) {
      dropped += DropOpaque(it.value());
    } else if (!it.value().is_null() && !it.value().empty()) {
      ++dropped;
      it.value() = it.value().is_array()                                  ? Json::array()
                   : it.value().is_object() && it.key() == "metadata"     ? Json::object()
                   : it.value().is_string() && it.key() != "instructions" ? Json("")
                                                                          : Json(nullptr);
    }
  }
  return dropped;
}

Status CollectFields(const Json& value, std::vector<WireText>& texts) {
  return CollectUnder("", value, texts);
}

std::string Unescaped(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size();) {
    if (json[i] != '\\' || i + 1 == json.size()) {
      out += json[i++];
      continue;
    }
    const char c = json[i + 1];
    if (c == 'u') {
      const std::size_t taken = AppendEscaped(json, i, out);
      if (taken > 0) {
        i += taken;
        continue;
      }
    }
    const std::size_t which = std::string_view("nrtbf").find(c);
    out += which == std::string_view::npos ? c : "\n\r\t  "[which];
    i += 2;
  }
  return out;
}

std::string SseFrame(std::string_view name, const Json& data) {
  std::string frame = name.empty() ? "" : "event: " + std::string(name) + "\n";
  return frame + "data: " + data.dump() + "\n\n";
}

}  // namespace safeguard::guard
