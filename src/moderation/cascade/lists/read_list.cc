#include <unordered_map>

#include "moderation/cascade/lists/entry_json.h"

namespace safeguard::moderation {
namespace {

bool IsBlankLine(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

class Reader {
 public:
  Reader(List& list, std::vector<ListProblem>& problems) : list_(list), problems_(problems) {}

  void Line(std::string_view line, std::size_t number) {
    if (IsBlankLine(line)) {
      return;
    }
    if (line.size() > kListLineBytesMax) {
      problems_.push_back({number, true, "the line is longer than 16 KiB", "one entry a line"});
      return;
    }
    Result<ListEntry> entry = lists::ReadEntry(line);
    if (!entry) {
      problems_.push_back({number, true, entry.error().message, entry.error().hint});
      return;
    }
    const auto [before, fresh] = lines_.emplace(entry->id, number);
    if (!fresh) {
      problems_.push_back(
          {number, true,
           "the id " + entry->id + " stands in line " + std::to_string(before->second) + " already",
           "give each entry an id of its own"});
      return;
    }
    entry->line = number;
    list_.entries.push_back(*std::move(entry));
  }

 private:
  List& list_;
  std::vector<ListProblem>& problems_;
  std::unordered_map<std::string, std::size_t> lines_;
};

}  // namespace

List ReadListLines(std::string_view bytes, std::string name, std::vector<ListProblem>& problems) {
  List list;
  list.name = std::move(name);
  if (bytes.size() > kListBytesMax) {
    problems.push_back({0, true, "the list is larger than 64 MiB", "cut it into several"});
    return list;
  }
  Reader reader(list, problems);
  std::size_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    reader.Line(bytes.substr(0, end), ++number);
    bytes = end == std::string_view::npos ? std::string_view() : bytes.substr(end + 1);
    if (list.entries.size() > kListEntriesMax) {
      problems.push_back({number, true, "the list has more than 200000 entries",
                          "at most that many entries over all lists"});
      return list;
    }
  }
  return list;
}

Result<List> ReadList(std::string_view bytes, const std::string& name) {
  std::vector<ListProblem> problems;
  List list = ReadListLines(bytes, name, problems);
  if (problems.empty()) {
    return list;
  }
  const ListProblem& first = problems.front();
  const std::string place =
      name + ".jsonl" + (first.line > 0 ? ":" + std::to_string(first.line) : "");
  const std::string more =
      problems.size() > 1 ? " (and " + std::to_string(problems.size() - 1) + " more)" : "";
  return Fail(ErrorCode::kInvalidInput, place + ": " + first.message + more, first.mend);
}

}  // namespace safeguard::moderation
