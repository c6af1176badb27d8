#include "optim/line_search.h"

#include <algorithm>
#include <cmath>

namespace gradcore {

double cubic_minimum(const LinePoint& first, const LinePoint& second, double least, double most) {
  const bool in_order = !(first.t > second.t);
  const LinePoint &a = in_order ? first : second, &b = in_order ? second : first;
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (least + most) / 2;
  const double d2 = std::sqrt(square);
  const double t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
  return std::min(std::max(t, least), most);
}

LinePoint strong_wolfe(const std::function<LinePoint(double)>& look, const LinePoint& origin, double t, double longest,
                       const WolfeOptions& options, int64_t& evaluations) {
  const auto too_high = [&](const LinePoint& p) { return p.loss > origin.loss + options.c1 * p.t * origin.slope; };
  const auto flat = [&](const LinePoint& p) { return std::abs(p.slope) <= -options.c2 * origin.slope; };
  const auto evaluate = [&](double length) {
    ++evaluations;
    return look(length);
  };

  // Algorithm 3.5: out, until two points enclose a good one.
  LinePoint ends[2] = {origin, evaluate(t)};
  int64_t trial = 0;
  for (;; ++trial) {
    LinePoint &before = ends[0], &point = ends[1];
    if (!(trial < options.trials)) {
      before = origin;
      break;
    }
    if (too_high(point) || (trial > 1 && point.loss >= before.loss)) break;
    if (flat(point)) return point;
    if (point.slope >= 0) break;
    t = cubic_minimum(before, point, point.t + 0.01 * (point.t - before.t), point.t * 10);
    before = std::move(point);
    point = evaluate(t);
  }

  // Algorithm 3.6: zooms in. The order of the two ends decides between equal losses.
  const auto lower = [&] { return ends[0].loss <= ends[1].loss ? 0 : 1; };
  int low = lower();
  bool was_close = false;  // the last point came close to an end: the next one must not
  for (; trial < options.trials && std::abs(ends[1].t - ends[0].t) * longest >= options.least_bracket; ++trial) {
    const double left = std::min(ends[0].t, ends[1].t), right = std::max(ends[0].t, ends[1].t);
    t = cubic_minimum(ends[0], ends[1], left, right);
    const double margin = 0.1 * (right - left);
    bool close = std::min(right - t, t - left) < margin;
    if (close && (was_close || !(left < t && t < right))) {
      t = std::abs(t - right) < std::abs(t - left) ? right - margin : left + margin;
      close = false;
    }
    was_close = close;
    LinePoint point = evaluate(t);
    if (too_high(point) || point.loss >= ends[low].loss) {
      ends[1 - low] = std::move(point);
      low = lower();
      continue;
    }
    if (flat(point)) return point;
    if (point.slope * (ends[1 - low].t - ends[low].t) >= 0) ends[1 - low] = ends[low];
    ends[low] = std::move(point);
  }
  return ends[low];
}

}  // namespace gradcore
