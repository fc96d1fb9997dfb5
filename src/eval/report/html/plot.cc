#include "eval/report/html/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "eval/report/html/html_text.h"

namespace safeguard::eval {
namespace {

constexpr double kWidth = 380;
constexpr double kHeight = 300;
constexpr double kLeft = 50;
constexpr double kRight = 14;
constexpr double kTop = 12;
constexpr double kBottom = 46;

double Place(const Axis& axis, double value) {
  const double clamped = std::clamp(value, axis.low, axis.high);
  if (axis.logarithmic) {
    return std::log(clamped / axis.low) / std::log(axis.high / axis.low);
  }
  return (clamped - axis.low) / (axis.high - axis.low);
}

std::string PowerText(double value) {
  return value >= 1000 ? fmt::format("{:g}k", value / 1000) : fmt::format("{:g}", value);
}

}  // namespace

Axis ShareAxis(std::string label) {
  return {.label = std::move(label),
          .low = 0,
          .high = 1,
          .ticks = {{0, "0"}, {0.2, "0.2"}, {0.4, "0.4"}, {0.6, "0.6"}, {0.8, "0.8"}, {1, "1"}},
          .logarithmic = false};
}

Axis CountAxis(std::string label, double most) {
  Axis axis{.label = std::move(label), .low = 0, .high = std::max(most, 1.0), .ticks = {}};
  double step = std::pow(10, std::floor(std::log10(axis.high)));
  step = std::max(axis.high / step < 2 ? step / 5 : axis.high / step < 5 ? step / 2 : step, 1.0);
  axis.high = std::ceil(axis.high / step) * step;
  for (double at = 0; at <= axis.high + step / 2; at += step) {
    axis.ticks.emplace_back(at, fmt::format("{:g}", at));
  }
  return axis;
}

Axis LogAxis(std::string label, double least, double most) {
  CHECK(least > 0 && least <= most);
  const double first = std::floor(std::log10(least) - 0.15);
  const double last = std::ceil(std::log10(most) + 0.15);
  Axis axis{.label = std::move(label),
            .low = std::pow(10, first),
            .high = std::pow(10, last),
            .ticks = {},
            .logarithmic = true};
  for (double power = first; power <= last; ++power) {
    axis.ticks.emplace_back(std::pow(10, power), PowerText(std::pow(10, power)));
  }
  return axis;
}

Plot::Plot(std::string title, std::string description, Axis x, Axis y)
    : title_(std::move(title)),
      description_(std::move(description)),
      x_(std::move(x)),
      y_(std::move(y)) {}

double Plot::X(double value) const {
  return kLeft + Place(x_, value) * (kWidth - kLeft - kRight);
}

double Plot::Y(double value) const {
  return kHeight - kBottom - Place(y_, value) * (kHeight - kTop - kBottom);
}

std::string Plot::Path(Points points) const {
  std::string path;
  for (const auto& [x, y] : points) {
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", X(x), Y(y));
  }
  return path;
}

void Plot::Line(Points points, const char* css_class) {
  marks_ += fmt::format("<path class=\"line {}\" d=\"{}\"/>", css_class, Path(points));
}

void Plot::Area(Points points, const char* css_class) {
  if (!points.empty()) {
    marks_ += fmt::format("<path class=\"area {}\" d=\"{}L{:.1f} {:.1f}L{:.1f} {:.1f}Z\"/>",
                          css_class, Path(points), X(points.back().first), Y(y_.low),
                          X(points.front().first), Y(y_.low));
  }
}

void Plot::Rectangle(double x0, double y0, double x1, double y1, const char* css_class) {
  marks_ += fmt::format(
      "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
      css_class, X(x0), Y(y1), std::max(X(x1) - X(x0), 0.0), std::max(Y(y0) - Y(y1), 0.0));
}

void Plot::Whisker(double x, double low, double high, const char* css_class) {
  marks_ += fmt::format(
      "<path class=\"whisker {3}\" d=\"M{0:.1f} {1:.1f}V{2:.1f}M{4:.1f} {1:.1f}H{5:.1f}M{4:.1f} "
      "{2:.1f}H{5:.1f}\"/>",
      X(x), Y(low), Y(high), css_class, X(x) - 3, X(x) + 3);
}

void Plot::Mark(double x, double y, Shape shape, double size, const char* css_class) {
  const double cx = X(x);
  const double cy = Y(y);
  switch (shape) {
    case Shape::kCircle:
      marks_ += fmt::format("<circle class=\"mark {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>",
                            css_class, cx, cy, size);
      return;
    case Shape::kDiamond:
      marks_ += fmt::format(
          "<path class=\"mark {0}\" d=\"M{1:.1f} {2:.1f}l{3:.1f} {3:.1f}l-{3:.1f} {3:.1f}l-{3:.1f} "
          "-{3:.1f}Z\"/>",
          css_class, cx, cy - size * 1.2, size * 1.2);
      return;
    case Shape::kSquare:
      marks_ += fmt::format(
          "<rect class=\"mark {0}\" x=\"{1:.1f}\" y=\"{2:.1f}\" width=\"{3:.1f}\" "
          "height=\"{3:.1f}\"/>",
          css_class, cx - size * 0.9, cy - size * 0.9, size * 1.8);
      return;
    case Shape::kTriangle:
      marks_ += fmt::format("<path class=\"mark {}\" d=\"M{:.1f} {:.1f}l{:.1f} {:.1f}h-{:.1f}Z\"/>",
                            css_class, cx, cy - size * 1.2, size * 1.2, size * 2.1, size * 2.4);
  }
}

void Plot::Label(double x, double y, const std::string& text, const char* css_class) {
  const double cx = X(x);
  const bool right = cx > kWidth * 0.68;
  marks_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>",
                        css_class, right ? cx - 8 : cx + 8, Y(y) + 4, right ? "end" : "start",
                        HtmlText(text));
}

std::string Plot::Axes() const {
  std::string svg;
  for (const auto& [at, text] : x_.ticks) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1:.1f}V{2:.1f}\"/><text class=\"tick\" x=\"{0:.1f}\" "
        "y=\"{3:.1f}\" text-anchor=\"middle\">{4}</text>",
        X(at), kTop, kHeight - kBottom, kHeight - kBottom + 15, HtmlText(text));
  }
  for (const auto& [at, text] : y_.ticks) {
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {2:.1f}H{1:.1f}\"/><text class=\"tick\" x=\"{3:.1f}\" "
        "y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>",
        kLeft, kWidth - kRight, Y(at), kLeft - 6, Y(at) + 4, HtmlText(text));
  }
  const double middle = kTop + (kHeight - kTop - kBottom) / 2;
  return svg +
         fmt::format(
             "<text class=\"axis\" x=\"{0:.1f}\" y=\"{1:.1f}\" text-anchor=\"middle\">{2}</text>"
             "<text class=\"axis\" x=\"12\" y=\"{3:.1f}\" text-anchor=\"middle\" "
             "transform=\"rotate(-90 12 {3:.1f})\">{4}</text>",
             kLeft + (kWidth - kLeft - kRight) / 2, kHeight - 8, HtmlText(x_.label), middle,
             HtmlText(y_.label));
}

std::string Plot::Svg() const {
  return fmt::format(
             "<svg class=\"plot\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\">"
             "<title>{}</title><desc>{}</desc>",
             kWidth, kHeight, HtmlText(title_), HtmlText(description_)) +
         Axes() + marks_ + "</svg>";
}

}  // namespace safeguard::eval
