#include "bench/history/popularity.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace viewcount::bench {
namespace {

constexpr double kEvergreens = 0.02;
// An evergreen's weight on any day, compared with the weight on its first day of a story with the same strength.
constexpr double kEvergreenWeight = 0.01;
// The weight of a story after `a` days is (1 + a / kHalfDay)^−kDecay.
constexpr double kHalfDay = 0.5;
constexpr double kDecay = 1.8;
// The articles born before the history, compared with those born in it.
constexpr double kOlder = 0.25;
// A day's views differ from the average by at most this part.
constexpr double kLevelRange = 0.2;
// From this mean on, a normal distribution is close enough.
constexpr double kNormalFrom = 30;

// Hourly weights of a portal whose readers sleep at night and read most in the evening.
constexpr std::array<double, kHoursOfDay> kHours{1.6, 1.0, 0.7, 0.6, 0.7, 1.2, 2.5, 4.2, 5.4, 5.7, 5.5, 5.5,
                                                 5.9, 5.6, 5.2, 5.0, 4.9, 4.9, 5.1, 5.6, 6.2, 6.4, 5.3, 3.3};

}  // namespace

Popularity::Popularity(const Shape& shape) : shape_(shape), random_(shape.seed), evergreen_(shape.articles) {
  const size_t articles = shape.articles;
  const auto days = static_cast<double>(shape.days);
  std::vector<uint32_t> ranks(articles);
  std::iota(ranks.begin(), ranks.end(), 1);
  // std::shuffle does not give the same order with every library.
  for (size_t i = articles; i > 1; --i) std::swap(ranks[i - 1], ranks[random_() % i]);
  const double offset = static_cast<double>(articles) / 2'000 + 1;
  for (size_t i = 0; i < articles; ++i) {
    evergreen_[i] = Uniform() < kEvergreens;
    strengths_.push_back(static_cast<float>(1 / (ranks[i] + offset)));
    const double older = kOlder * days;
    births_.push_back(static_cast<float>(evergreen_[i] ? -older * Uniform() : (days + older) * Uniform() - older));
  }
  const auto oldest = static_cast<size_t>(days * (1 + kOlder)) + 2;
  for (size_t age = 0; age < oldest; ++age) {
    decay_.push_back(std::pow(1 + static_cast<double>(age) / kHalfDay, -kDecay));
  }
}

double Popularity::Weight(uint32_t article) const {
  if (evergreen_[article]) return strengths_[article] * kEvergreenWeight;
  const int age = day_ - static_cast<int>(std::floor(births_[article]));
  return age < 0 ? 0 : strengths_[article] * decay_[static_cast<size_t>(age)];
}

void Popularity::Begin(size_t day, double share) {
  day_ = static_cast<int>(day);
  double sum = 0;
  for (uint32_t i = 0; i < shape_.articles; ++i) sum += Weight(i);
  const double level = 1 + kLevelRange * (2 * Uniform() - 1);
  views_per_weight_ = sum > 0 ? shape_.views_per_day * level * share / sum : 0;
}

uint32_t Popularity::Draw(uint32_t article) { return Poisson(Weight(article) * views_per_weight_); }

uint32_t Popularity::Poisson(double mean) {
  if (mean >= kNormalFrom) {
    // Box and Muller's method.
    const double normal = std::sqrt(-2 * std::log(1 - Uniform())) * std::cos(6.283185307179586 * Uniform());
    return static_cast<uint32_t>(std::max(0.0, std::round(mean + std::sqrt(mean) * normal)));
  }
  double left = Uniform();
  // The probability of 0 is at least 1 − mean, so most articles need no exponential function.
  if (left > mean) return 0;
  left = 1 - left;
  double probability = std::exp(-mean);
  uint32_t views = 0;
  while (left > probability && views < 1'000) {
    left -= probability;
    probability *= mean / ++views;
  }
  return views;
}

std::array<uint32_t, kHoursOfDay> Popularity::DivideByHour(uint32_t article, uint32_t views, size_t hours) {
  const double birth = (births_[article] - static_cast<double>(day_)) * kHoursOfDay;
  size_t first = birth > 0 ? static_cast<size_t>(birth) : 0;
  if (first >= hours) first = 0;
  double weights = 0;
  for (size_t hour = first; hour < hours; ++hour) weights += kHours[hour];
  std::array<uint32_t, kHoursOfDay> result{};
  uint32_t left = views;
  for (size_t hour = first; hour < hours && left > 0; ++hour) {
    const double part = hour + 1 == hours ? 1 : kHours[hour] / weights;
    weights -= kHours[hour];
    uint32_t here = 0;
    if (part >= 1) {
      here = left;
    } else if (left * part >= kNormalFrom) {
      here = std::min(left, Poisson(left * part));
    } else {
      for (uint32_t i = 0; i < left; ++i) here += Uniform() < part ? 1 : 0;
    }
    result[hour] = here;
    left -= here;
  }
  return result;
}

double Popularity::ShareOf(double hours) {
  double all = 0, come = 0;
  for (size_t hour = 0; hour < kHoursOfDay; ++hour) {
    all += kHours[hour];
    come += kHours[hour] * std::clamp(hours - static_cast<double>(hour), 0.0, 1.0);
  }
  return come / all;
}

}  // namespace viewcount::bench
