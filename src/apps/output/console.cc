#include "apps/output/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "apps/output/display_text.h"
#include "base/file.h"

namespace safeguard::apps {
namespace {

constexpr std::size_t kColumnsWithoutTerminal = 100;
constexpr std::size_t kColumnsMin = 40;
constexpr std::size_t kColumnsMax = 160;

// 0, or the errno of the first write that failed.
int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return errno;
    }
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

bool UseColor(const Console& console, ColorMode mode) {
  switch (mode) {
    case ColorMode::kAlways:
      return true;
    case ColorMode::kNever:
      return false;
    case ColorMode::kAuto:
      break;
  }
  return console.out_is_terminal() && !console.color_unwanted();
}

void ReportError(Console& console, const Error& error) {
  console.Error("safeguard: " + Printable(Describe(error)) + "\n");
}

void ProcessConsole::Out(std::string_view text) {
  if (out_closed_ || !out_status_) {
    return;
  }
  const int error = WriteAll(STDOUT_FILENO, text);
  if (error == EPIPE) {
    out_closed_ = true;
  } else if (error != 0) {
    out_status_ = Fail(ErrorCode::kUnavailable,
                       std::string("cannot write standard output: ") + std::strerror(error),
                       error == ENOSPC ? "free some disk space and run again" : "");
  }
}

void ProcessConsole::Error(std::string_view text) {
  WriteAll(STDERR_FILENO, text);
}

Result<std::string> ProcessConsole::ReadInput(std::size_t bytes_max) {
  return ReadStdin(bytes_max);
}

bool ProcessConsole::in_is_terminal() const {
  return ::isatty(STDIN_FILENO) == 1;
}

bool ProcessConsole::out_is_terminal() const {
  return ::isatty(STDOUT_FILENO) == 1;
}

bool ProcessConsole::error_is_terminal() const {
  return ::isatty(STDERR_FILENO) == 1;
}

std::size_t ProcessConsole::columns() const {
  struct winsize size{};
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      const std::size_t columns = size.ws_col;
      return columns < kColumnsMin ? kColumnsMin : std::min(columns, kColumnsMax);
    }
  }
  return kColumnsWithoutTerminal;
}

bool ProcessConsole::color_unwanted() const {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return (no_color != nullptr && *no_color != '\0') ||
         (terminal != nullptr && std::strcmp(terminal, "dumb") == 0);
}

}  // namespace safeguard::apps
