#include "apps/output/report_files.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>

#include "base/file.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kReportBytesMax = std::size_t{256} << 20;

std::string Ending(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c;
  });
  return ending;
}

bool IsHtml(const std::string& ending) {
  return ending == ".html" || ending == ".htm";
}

}  // namespace

Status CheckReports(const ReportChoice& choice) {
  for (const std::string& file : choice.files) {
    const std::string ending = Ending(file);
    if (!IsHtml(ending) && ending != ".json" && ending != ".md") {
      return Fail(ErrorCode::kInvalidInput, "the report " + file + " ends in no known form",
                  "name it .html, .json or .md");
    }
  }
  const bool page = std::ranges::any_of(
      choice.files, [](const std::string& file) { return IsHtml(Ending(file)); });
  if (!choice.beside.empty() && !page) {
    return Fail(ErrorCode::kInvalidInput, "--beside goes with an HTML report",
                "add --report FILE.html");
  }
  return {};
}

Status WriteReports(const ReportChoice& choice, const eval::Report& report,
                    const std::string& json) {
  std::vector<eval::QualityPoint> others;
  for (const std::string& path : choice.beside) {
    const Result<std::string> bytes = ReadFile(path, kReportBytesMax);
    if (!bytes) {
      return std::unexpected(bytes.error());
    }
    Result<eval::QualityPoint> point = eval::ReadQualityPoint(*bytes, path);
    if (!point) {
      return std::unexpected(point.error());
    }
    others.push_back(std::move(*point));
  }
  for (const std::string& file : choice.files) {
    const std::string ending = Ending(file);
    const Status written =
        WriteFileAtomically(file, IsHtml(ending)      ? eval::RenderHtml(report, others)
                                  : ending == ".json" ? json
                                                      : eval::RenderMarkdown(report));
    if (!written) {
      return written;
    }
  }
  return {};
}

std::string TodayText() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 16> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d", &utc);
  return {text.data(), size};
}

}  // namespace safeguard::apps
