// A drawing area with two axes, as inline SVG. Colours come from the page's style sheet, so that
// light, dark and print differ; every mark also differs by shape or dash, not by colour alone.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace safeguard::eval {

struct Axis {
  std::string label;  // plain words of ours, not content
  double low = 0;
  double high = 1;
  std::vector<std::pair<double, std::string>> ticks;  // where, and what stands there
  bool logarithmic = false;                           // then 0 < low
};

// 0 to 1 with ticks at every 0.2.
Axis ShareAxis(std::string label);
// From 0 to at least `most`, with round ticks.
Axis CountAxis(std::string label, double most);
// Powers of ten around what is shown. REQUIRES: 0 < least <= most.
Axis LogAxis(std::string label, double least, double most);

class Plot {
 public:
  // `description` is read out to those who cannot see the drawing.
  Plot(std::string title, std::string description, Axis x, Axis y);

  using Points = std::span<const std::pair<double, double>>;
  void Line(Points points, const char* css_class);
  void Area(Points points, const char* css_class);  // between the line and the x axis
  void Rectangle(double x0, double y0, double x1, double y1, const char* css_class);
  void Whisker(double x, double low, double high, const char* css_class);  // upright
  enum class Shape { kCircle, kDiamond, kSquare, kTriangle };
  void Mark(double x, double y, Shape shape, double size, const char* css_class);
  // `text` is escaped. Anchored to the left of the place, or to its right near the right edge.
  void Label(double x, double y, const std::string& text, const char* css_class = "note");

  // "<svg>...</svg>".
  [[nodiscard]] std::string Svg() const;

 private:
  [[nodiscard]] double X(double value) const;
  [[nodiscard]] double Y(double value) const;
  [[nodiscard]] std::string Path(Points points) const;
  [[nodiscard]] std::string Axes() const;

  std::string title_;
  std::string description_;
  Axis x_;
  Axis y_;
  std::string marks_;
};

}  // namespace safeguard::eval
