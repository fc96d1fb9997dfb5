// The terminal, or whatever stands in its place: standard input, output and error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace safeguard::apps {

enum class ColorMode { kAuto, kAlways, kNever };

class Console {
 public:
  virtual ~Console() = default;

  // Standard output. A failed write is remembered, and later ones are dropped: see out_status().
  virtual void Out(std::string_view text) = 0;
  // Standard error; failures are ignored, because there is nobody left to tell.
  virtual void Error(std::string_view text) = 0;
  // All of standard input, at most `bytes_max` bytes.
  virtual Result<std::string> ReadInput(std::size_t bytes_max) = 0;

  // The first failed write to standard output. A reader that went away (`| head`) is no failure.
  [[nodiscard]] virtual Status out_status() const = 0;
  [[nodiscard]] virtual bool in_is_terminal() const = 0;
  [[nodiscard]] virtual bool out_is_terminal() const = 0;
  [[nodiscard]] virtual bool error_is_terminal() const = 0;
  // Columns of the terminal; 100 when there is none.
  [[nodiscard]] virtual std::size_t columns() const = 0;
  // NO_COLOR is set and not empty, or TERM is "dumb".
  [[nodiscard]] virtual bool color_unwanted() const = 0;
};

// Whether to colour standard output.
bool UseColor(const Console& console, ColorMode mode);

// "safeguard: message (hint)" on standard error, in one line.
void ReportError(Console& console, const Error& error);

// The process's own standard streams.
class ProcessConsole final : public Console {
 public:
  void Out(std::string_view text) override;
  void Error(std::string_view text) override;
  Result<std::string> ReadInput(std::size_t bytes_max) override;
  [[nodiscard]] Status out_status() const override { return out_status_; }
  [[nodiscard]] bool in_is_terminal() const override;
  [[nodiscard]] bool out_is_terminal() const override;
  [[nodiscard]] bool error_is_terminal() const override;
  [[nodiscard]] std::size_t columns() const override;
  [[nodiscard]] bool color_unwanted() const override;

 private:
  Status out_status_;
  bool out_closed_ = false;  // the reader went away
};

}  // namespace safeguard::apps
