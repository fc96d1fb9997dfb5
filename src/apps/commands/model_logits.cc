#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "apps/commands/commands.h"
#include "apps/commands/model_run.h"
#include "apps/output/display_text.h"
#include "apps/output/table.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kLogitsBytesMax = std::size_t{4} << 30;
constexpr std::size_t kTokensShown = 5;

// A safetensors file (github.com/huggingface/safetensors) of one tensor, `logits`.
std::string LogitsFile(const std::vector<float>& logits, std::size_t rows, std::size_t vocabulary) {
  const std::size_t bytes = logits.size() * sizeof(float);
  std::string header =
      fmt::format(R"({{"logits":{{"dtype":"F32","shape":[{},{}],"data_offsets":[0,{}]}}}})", rows,
                  vocabulary, bytes);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    file[i] = static_cast<char>(header.size() >> (8 * i));
  }
  file += header;
  const std::size_t begin = file.size();
  file.resize(begin + bytes);
  std::memcpy(file.data() + begin, logits.data(), bytes);
  return file;
}

// One row a position: its likeliest next tokens.
std::string LargestTable(const OpenedModel& opened, const std::vector<float>& logits,
                         std::size_t rows, std::size_t width, bool color) {
  const std::size_t vocabulary = opened.model->vocabulary();
  const std::size_t shown = std::min(kTokensShown, vocabulary);
  std::vector<std::vector<Cell>> table;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t position = opened.ids.size() - rows + row;
    std::vector<Cell> cells = {{std::to_string(position)}, {std::to_string(opened.ids[position])}};
    for (const RankedToken& token :
         LargestLogits(logits.data() + row * vocabulary, vocabulary, shown)) {
      cells.push_back({fmt::format("{} {:.4f} ({:.2f})", token.id, token.logit, token.logprob)});
    }
    table.push_back(std::move(cells));
  }
  std::vector<Column> columns = {{"POSITION", true}, {"ID", true}};
  for (std::size_t i = 0; i < shown; ++i) {
    columns.push_back({i == 0 ? "LARGEST: ID LOGIT (LOGPROB)" : ""});
  }
  return RenderTable(columns, table, std::max<std::size_t>(width, 150), color);
}

}  // namespace

ExitCode RunModelLogits(const ModelLogitsArguments& arguments, Console& console,
                        const std::atomic<bool>& stop) {
  Result<OpenedModel> opened = OpenModelWithIds(
      arguments.path, {arguments.precision, arguments.packed_file, arguments.threads},
      arguments.ids);
  if (!opened) {
    return Fails(console, opened.error(), FailureCode(opened.error()));
  }
  const std::size_t vocabulary = opened->model->vocabulary();
  const std::size_t rows = std::min(arguments.last, opened->ids.size());
  if (rows > kLogitsBytesMax / sizeof(float) / vocabulary) {
    return Fails(console,
                 {ErrorCode::kLimit,
                  fmt::format("--last {}: the logits would take more than {} GiB", arguments.last,
                              kLogitsBytesMax >> 30),
                  "ask for fewer rows"},
                 ExitCode::kUsage);
  }
  const Result<std::vector<float>> logits = AppendInPieces(*opened->model, opened->ids, rows, stop);
  if (!logits) {
    return Fails(console, logits.error(), ExitCode::kCannotRun);
  }
  if (logits->empty()) {
    return ExitCode::kInterrupted;
  }
  console.Out(
      LargestTable(*opened, *logits, rows, console.columns(), UseColor(console, arguments.color)));
  if (!arguments.out.empty()) {
    const Status written =
        WriteFileAtomically(arguments.out, LogitsFile(*logits, rows, vocabulary));
    if (!written) {
      return Fails(console, written.error(), ExitCode::kCannotRun);
    }
    console.Out(fmt::format("wrote {}: tensor logits, F32 [{}, {}]\n", Printable(arguments.out),
                            rows, vocabulary));
  }
  return ExitCode::kSafe;
}

}  // namespace safeguard::apps
