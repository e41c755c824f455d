// Prints pictures for svg_test.py. Each line of standard input is a text in hexadecimal. For each text the program
// prints every kind of picture with that text, one picture per line.
#include <absl/strings/escaping.h>

#include <iostream>
#include <string>

#include "service/web/badge_svg.h"
#include "service/web/odometer_svg.h"

int main() {
  using viewcount::OdometerStyle, viewcount::Theme;
  constexpr uint64_t kNumber = 37'456'821;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string text = absl::HexStringToBytes(line);
    for (const Theme theme : {Theme::kAuto, Theme::kLight, Theme::kDark}) {
      for (const OdometerStyle style : {OdometerStyle::kClassic, OdometerStyle::kFlat, OdometerStyle::kPlain}) {
        std::cout << viewcount::OdometerSvg({.value = kNumber, .style = style, .theme = theme, .title = text}) << "\n";
      }
      std::cout << viewcount::BadgeSvg({.label = text, .count = kNumber, .theme = theme}) << "\n";
    }
  }
}
