#include <nlohmann/json.hpp>

#include "apps/commands/commands.h"
#include "apps/input/tokenizer_input.h"
#include "apps/output/verdict_json.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kInputBytesMax = std::size_t{1} << 30;

Result<std::string> TextOf(std::string_view line) {
  const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
  const auto text = object.is_object() ? object.find("text") : object.end();
  if (text == object.end() || !text->is_string()) {
    return Fail(ErrorCode::kInvalidInput, "is not {\"text\": ...}",
                "each line is one JSON object in UTF-8 whose `text` is a string");
  }
  return text->get<std::string>();
}

}  // namespace

ExitCode RunModelTokens(const ModelTokensArguments& arguments, Console& console) {
  const auto tokenizer = OpenTokenizer(arguments.path, arguments.model);
  if (!tokenizer) {
    return Fails(console, tokenizer.error(), ExitCode::kCannotRun);
  }
  const Result<std::string> input = console.ReadInput(kInputBytesMax);
  if (!input) {
    return Fails(console, input.error(), ExitCode::kUsage);
  }
  std::string_view rest = *input;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    Result<std::string> text = TextOf(line);
    if (!text) {
      text.error().message = "line " + std::to_string(number) + " " + text.error().message;
      return Fails(console, text.error(), ExitCode::kUsage);
    }
    const std::vector<std::uint32_t> ids = (*tokenizer)->Encode(*text);
    console.Out(JsonLine({{"text", std::move(*text)}, {"tokens", ids}}) + "\n");
    if (!console.out_status()) {
      return ExitCode::kCannotRun;  // the caller says why
    }
  }
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
