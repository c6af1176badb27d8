// Special functions in lanes: those whose vector code pays. Start at erfinv(), or at lgamma(); the others are functions
// of plain numbers in portable/special, one element at a time.
//
// Note [Accuracy of special functions]
// benchmarks/special_accuracy.py judges them by mpmath, each region by itself; tests/ops/test_special.py holds them to
// its limits.
#pragma once
#include "kernels/math.h"

namespace gradcore::GC_ISA {

// ---- the inverse of the error function ----
//
// erfinv(x) / x is a smooth function of w = -log(1 - x * x), and far out of its root: Giles, "Approximating the erfinv
// function" (GPU Computing Gems, 2011). The polynomials interpolate it at Chebyshev's nodes, in 60 digits.

// For results that are rounded to floats: of w up to 5, or of s, its root, up to 10.2, beyond which no float leads.
struct ErfinvOfFloats {
  static constexpr double kNear = 5.0;
  GC_INLINE double near(double w) {
    return polynomial(w - 2.5, 1.50140935111, 0.246640276785, -0.00417731781014, -0.00125270808362, 0.0002182506494,
                      -4.99588144876e-06, -3.41711523275e-06, 4.7864482434e-07, 1.36914960152e-08, -1.08543970931e-08,
                      8.32700082103e-10, 1.23028889731e-10, -2.12035651318e-11);
  }
  GC_INLINE double far(double s) {
    const double p =
        polynomial(s - 3.0, 2.83297679828, 1.00167526644, 0.00944556262109, -0.00764351326838, 0.00568451538226,
                   -0.00356107269077, 0.00148809914091, -0.00014196218009, -0.000296829853678, 0.000197680564977,
                   -2.54073726503e-05, -2.35263316309e-05, 8.18629740737e-06);
    const double q =
        polynomial(s - 7.0, 6.86901965194, 1.00859562083, -0.000512655368695, 6.28620031576e-06, 6.05591186548e-06,
                   -1.62144653877e-06, 3.13610602577e-07, -5.27873822205e-08, 8.757906611e-09, -1.62077731987e-09,
                   2.04804020289e-10, 8.14039675266e-12, 4.27899608904e-13, -2.50881289677e-12, 3.70828967803e-13);
    return s < 4.15 ? p : q;
  }
};
// For doubles.
struct ErfinvOfDoubles {
  static constexpr double kNear = 6.25;
  GC_INLINE double near(double w) {
    return polynomial(w - 3.125, 1.6536545626831027, 0.24015818242558834, -0.006033670871426851, -0.0007407025341546431,
                      0.00018673420801981186, -1.3882523393957483e-05, -1.3654691758785656e-06, 4.23478816822246e-07,
                      -2.907039127564132e-08, -4.1126604371632185e-09, 1.051223377050429e-09, -5.414303283919504e-11,
                      -1.2978805369932565e-11, 2.6305268312595183e-12, -8.07192593899004e-14, -4.0020031087558496e-14,
                      6.521333511502239e-15, -3.94018812230432e-17, -1.2215637192404172e-16, 1.5510787009902526e-17,
                      6.075050702072414e-19, -3.4734793888538036e-19, 1.999259988861535e-20, 3.194015548136271e-21,
                      -3.5932028927020693e-22);
  }
  GC_INLINE double far(double s) {
    const double p =
        polynomial(s - 3.25, 3.0838856104922203, 1.0052589676941652, 0.0053709145536067196, -0.003751208508221642,
                   0.002491442095291227, -0.0016882755354424039, 0.0009532893949364543, -0.00035503781510435467,
                   2.4030970248681096e-05, 6.828713546114728e-05, -4.7317509682783454e-05, 1.2464916577733455e-05,
                   2.92129196958761e-06, -3.9853324984407355e-06, 1.506472770102859e-06, -2.831603830552538e-08,
                   -2.786451484964553e-07, 1.322753336008504e-07, 3.552757241280968e-09, -1.5583891046159452e-08);
    const double q =
        polynomial(s - 5.0, 4.8499064014085835, 1.0103004648645415, -0.00013871931831394038, -0.00021503011966000934,
                   7.59952765387806e-05, -1.9681772855734054e-05, 4.526066659007162e-06, -9.930170374080104e-07,
                   2.2898851663383436e-07, -6.75934647687871e-08, 2.9183189460348694e-08, -1.519165045203122e-08,
                   7.573806420927858e-09, -3.5324189791135053e-09, 1.5334546440658e-09, -4.0652435116163553e-10,
                   -3.3535247392608105e-11, 3.641563987404834e-11);
    const double r =
        polynomial(s - 9.0, 8.884270510145466, 1.0067273648820418, -0.00040893755481906846, 2.055535376972269e-05,
                   -2.367875730157613e-07, -1.5185738023763788e-07, 3.283934812815537e-08, -5.098591823744322e-09,
                   6.983761087501929e-10, -8.949273938456511e-11, 1.099701645258324e-11, -1.31246914854568e-12,
                   1.531616149799538e-13, -1.7499669219501914e-14, 1.976576028697645e-15, -2.28109583958895e-16,
                   2.5084071492101436e-17, -2.0859972264576266e-18, 2.266082339573943e-19, -5.398315936358957e-20,
                   5.6542423151874976e-21);
    const double t =
        polynomial(s - 19.0, 18.92561425342672, 1.0025348182729266, -9.721005043766084e-05, 3.849489792852398e-06,
                   -1.5270736608351639e-07, 5.940514117805331e-09, -2.209024235668989e-10, 7.498877633295286e-12,
                   -2.0533802887886798e-13, 1.9955684375485927e-15, 3.1005590184699786e-16, -3.597272225358365e-17,
                   2.802167644318131e-18, -1.9152372331215258e-19, 1.2978363208936663e-20, -8.188245130424735e-22,
                   3.59722949205245e-23, -1.4582891451515688e-24, 1.9684565252196585e-25, -1.8136107443465739e-26,
                   5.715326877989926e-28);
    const double nearer = s < 4.0 ? p : q, farther = s < 12.0 ? r : t;
    return s < 6.0 ? nearer : farther;
  }
};

// erfinv(x) / x of 1 - x * x.
template <class Series> GC_INLINE double erfinv_factor(double rest) {
  const double w = -log(F64{rest}).v, near = Series::near(w), far = Series::far(sqrt(F64{w}).v);
  return w < Series::kNear ? near : far;
}
template <class Series> GC_INLINE double erfinv_of(double x) {
  constexpr double inf = __builtin_inf();
  const double size = __builtin_fabs(x), y = x * erfinv_factor<Series>((1.0 - size) * (1.0 + size));
  return size == 1.0 ? x * inf : y;
}
// The inverse of the normal distribution is sqrt(2) erfinv(2 p - 1), and 1 - (2 p - 1)**2 = 4 p (1 - p) loses nothing.
template <class Series> GC_INLINE double ndtri_of(double p) {
  constexpr double inf = __builtin_inf();
  const double rest = p * (1.0 - p), x = 2.0 * p - 1.0;
  const double y = x * 1.4142135623730951 * erfinv_factor<Series>(4.0 * rest);
  return rest == 0.0 ? x * inf : y;
}

// Of floats in floats. Up to 3/4 as x + x g(x * x). Beyond, as s - 5/16 + d(s) of s, the root of -log(1 - x), whose
// argument is exact; s is wrong by half a unit and more, so that what it lacks is added. g and d are Remez's
// polynomials.
GC_INLINE float erfinv_near(float x) {
  const float z = x * x;
  const float g = polynomial(z - 0.28125f, -0.0359783566f, 0.332330072f, 0.248931485f, 0.232506526f, 0.241642025f,
                             0.267248533f, 0.293630601f, 0.336919198f, 0.60135816f, 0.794987844f);
  return madd(x, g, x);
}
// Of 1 - rest, for rest from 2**-24 to 1/4.
GC_INLINE float erfinv_far(float rest) {
  constexpr BitsOf<float> mask = (BitsOf<float>(1) << Ieee<float>::kMantissa) - 1;
  const BitsOf<float> split = split_bits(rest);
  const float e = exponent_value(split, float(Ieee<float>::kBias + 1));
  const float f = from_bits((split & mask) + Ieee<float>::kSqrtHalf) - 1.0f;
  // -log(rest) = w + w_rest. The first product is exact, as is the sum but for `lost`.
  const float high = -e * Ieee<float>::kLog2Hi, sum = high - f, lost = (high - sum) - f;
  const float low = lost - madd(e, Ieee<float>::kLog2Lo, log_rest(f));
  const float w = sum + low, w_rest = low - (w - sum);
  // s * s in two parts, exactly, without an instruction for it.
  const float s = __builtin_sqrtf(w);
  const float s_high = from_bits(to_bits(s) & ~BitsOf<float>(0xfff)), s_low = s - s_high;
  const float missing = (((w - s_high * s_high) - 2.0f * s_high * s_low) - s_low * s_low) + w_rest;
  const float half_of_inverse = polynomial(s - 2.62803899f, 0.189f, -0.0731f, 0.0363f, -0.0127f);
  const float d = polynomial(s - 2.62803899f, 0.010982728f, 0.0457321784f, -0.00508672415f, -0.000858064356f,
                             0.000981188058f, -0.000516592669f, 0.000223697213f, -8.50889012e-05f, 2.73566401e-05f,
                             -9.68359193e-06f, 4.36105609e-06f, -1.04455972e-06f);
  return (s - 0.3125f) + madd(missing, half_of_inverse, d);  // the difference is exact
}

// Chosen before the templates of lane_ops.h, which go one by one.
GC_INLINE F32 erfinv(F32 x) {
  constexpr float inf = __builtin_inff();
  const float size = __builtin_fabsf(x.v), near = erfinv_near(size), far = erfinv_far(1.0f - size);
  float y = size < 0.75f ? near : far;
  y = size == 1.0f ? inf : y;
  return {size <= 1.0f ? __builtin_copysignf(y, x.v) : __builtin_nanf("")};
}
GC_INLINE F64 erfinv(F64 x) { return {erfinv_of<ErfinvOfDoubles>(x.v)}; }
// Of doubles up to here the first polynomial alone: Note [Two ways].
constexpr double kErfinvNear = 0.999;
GC_INLINE F64 erfinv_near(F64 x) {
  const double size = __builtin_fabs(x.v);
  constexpr BitsOf<double> mask = (BitsOf<double>(1) << Ieee<double>::kMantissa) - 1;
  const BitsOf<double> split = split_bits((1.0 - size) * (1.0 + size));  // a normal number
  const double m = from_bits((split & mask) + Ieee<double>::kSqrtHalf);
  const double w = -log_of(SplitFloat<double>{exponent_value(split, double(Ieee<double>::kBias + 1)), m - 1.0});
  return {x.v * ErfinvOfDoubles::near(w)};
}
GC_INLINE F32 ndtri(F32 p) { return {static_cast<float>(ndtri_of<ErfinvOfFloats>(p.v))}; }
GC_INLINE F64 ndtri(F64 p) { return {ndtri_of<ErfinvOfDoubles>(p.v)}; }

// ---- the error function's scaled complement, and the logarithm of the normal distribution

// e**(x * x) erfc(x) of x >= 0, of u = 2 / (2 + x), which maps it to 1 to 0 (after Johnson's Faddeeva package). The
// polynomials interpolate at Chebyshev's nodes, in 45 digits.
GC_INLINE double erfcx_positive(double x) {
  const double u = 2.0 / (2.0 + x);
  const double far = polynomial(
      u - 0.25, 0.3711062712021534, 0.44330016179008347, 0.4054727305001311, 0.2333678567747501, 0.0027841326056067565,
      -0.130609239151809, -0.07123366703488507, 0.07576385780452446, 0.0895678150559481, -0.05868263760329284,
      -0.1085957946997342, 0.06898132340072084, 0.14034969391166296, -0.11719427943801487, -0.18619779768395991,
      0.2377283600763678, 0.225359349479079, -0.46473457344144464, -0.18322835939736273, 0.6043451253448022);
  const double near =
      polynomial(u - 0.75, 0.7190458772408003, 0.9818151674346062, 0.5938770257399043, -0.057265189906140074,
                 -0.20102471721481213, 0.04964878203747023, 0.0732783959414757, -0.05432476706137788,
                 -0.008865798168725875, 0.03475653865448302, -0.01906006873189227, -0.005989791447250207,
                 0.016730006804358023, -0.010756074354794407, -0.0025625652744363115, 0.008317339512811224);
  return u * (u < 0.5 ? far : near);
}
GC_INLINE double erfcx_of(double x) {
  const double y = erfcx_positive(__builtin_fabs(x)), square = x * x;
  // x * x in two parts, exactly, without an instruction for it.
  const double high = from_bits(to_bits(x) & ~uint64_t(0x7ffffff)), low = x - high;
  const double lost = ((high * high - square) + 2.0 * high * low) + low * low;
  const double e = exp(F64{square}).v, mirrored = 2.0 * e - y;
  const double mended = mirrored + 2.0 * e * lost;
  return x >= 0.0 ? y : square < 700.0 ? mended : mirrored;
}
GC_INLINE double log_ndtr_of(double x) {
  constexpr double kSqrtHalf = 0.7071067811865476;
  const double z = x * -kSqrtHalf;
  const bool below = x < -1.0;
  const double under = log(F64{0.5 * erfcx_positive(below ? z : 1.0)}).v - 0.5 * x * x;
  const double above = log1p(F64{-0.5 * erfc(F64{below ? 0.0 : -z}).v}).v;
  return below ? under : above;
}
GC_INLINE F64 erfcx(F64 x) { return {erfcx_of(x.v)}; }
GC_INLINE F64 log_ndtr(F64 x) { return {log_ndtr_of(x.v)}; }

// ---- the gamma function, of floats in double ----
//
// Below 1/2 by reflection to 1 - x; below 8 by the recurrence from eight further on; then by Stirling's series.

struct Reflected {
  double z;            // x, or 1 - x
  bool mirrored, low;  // low: z is below 8, and the series takes z + 8
  double at;           // where the series is taken
};
GC_INLINE Reflected reflect(double x) {
  const bool mirrored = x < 0.5;
  const double z = mirrored ? 1.0 - x : x;
  const bool low = z < 8.0;
  return {z, mirrored, low, low ? z + 8.0 : z};
}
// sin(pi x) / x and cos(pi x) for x from -1/2 to 1/2, of x * x: Taylor's series.
GC_INLINE double sin_pi_series(double z) {
  return polynomial(z, 3.141592653589793, -5.16771278004997, 2.5501640398773455, -0.5992645293207921,
                    0.08214588661112823, -0.0073704309457143504, 0.00046630280576761255, -2.1915353447830217e-05,
                    7.952054001475513e-07, -2.2948428997269873e-08, 5.392664662608129e-10);
}
GC_INLINE double cos_pi_series(double z) {
  return polynomial(z, 1.0, -4.934802200544679, 4.0587121264167685, -1.3352627688545895, 0.2353306303588932,
                    -0.02580689139001406, 0.0019295743094039231, -0.0001046381049248457, 4.303069587032947e-06,
                    -1.3878952462213771e-07, 3.604730797462501e-09);
}

GC_INLINE F32 lgamma(F32 x) {
  constexpr double inf = __builtin_inf(), pi = 3.141592653589793;
  const double d = x.v;
  const Reflected a = reflect(d);
  // z (z + 1) ... (z + 7), two factors from both ends at a time.
  const double u = a.z * (a.z + 7.0);
  const double product = a.low ? (u * (u + 6.0)) * ((u + 10.0) * (u + 12.0)) : 1.0;
  const double over = 1.0 / a.at;
  const double series =
      over * polynomial(over * over, 0.08333333333333333, -0.002777777777777778, 0.0007936507936507937,
                        -0.0005952380952380953, 0.0008417508417508417, -0.0019175269175269176, 0.00641025641025641);
  const double stirling = (a.at - 0.5) * log(F64{a.at}).v - a.at + 0.9189385332046727 + series;
  const double r = d - __builtin_rint(d);
  const double sine = __builtin_fabs(r * sin_pi_series(r * r));
  const double left = a.mirrored ? product * (pi / sine) : 1.0 / product;
  const double y = log(F64{left}).v + (a.mirrored ? -stirling : stirling);
  const bool zero = (d == 1.0) | (d == 2.0);
  return {static_cast<float>(__builtin_fabs(d) == inf ? inf : zero ? 0.0 : y)};
}

// Of doubles, without the zeros between -10 and -2, near which nothing is left of the reflection. Below 8 by the
// recurrence from [3/2, 5/2], as x - 2 times a polynomial (it interpolates at Chebyshev's nodes, in 45 digits).
GC_INLINE double lgamma_from_2(double x) {
  return (x - 2.0) *
         polynomial(x - 2.0, 0.42278433509846713, 0.3224670334241132, -0.06735230105319814, 0.02058080842778457,
                    -0.0073855510286681535, 0.002890510330738737, -0.0011927539120010226, 0.0005096695248853096,
                    -0.00022315475074520367, 9.945750909889392e-05, -4.4926351103833334e-05, 2.050726741605779e-05,
                    -9.438458716242811e-06, 4.374374916915131e-06, -2.0449201467015115e-06, 9.578663334114758e-07,
                    -4.303558760359961e-07, 2.0304806751615227e-07, -1.3412819758517287e-07, 6.379047507619774e-08);
}
GC_INLINE double lgamma_positive(double x) {
  const bool up = x < 1.5, twice = x < 0.5, far = x >= 8.0;
  // Down to [3/2, 5/2] by the factors x - 1, x - 2 ..., which are exact.
  double product = 1.0, at = x;
  const auto step_down = [&] {
    const bool above = (at >= 2.5) & !far;
    at = above ? at - 1.0 : at;
    product = above ? product * at : product;
  };
  step_down(), step_down(), step_down(), step_down(), step_down(), step_down();
  product = up ? x : product;
  product = twice ? x * (x + 1.0) : product;
  at = up ? x + (twice ? 2.0 : 1.0) : at;
  const double logarithm = log(F64{far ? x : product}).v, near = lgamma_from_2(far ? 2.0 : at);
  const double over = 1.0 / (far ? x : 8.0);
  const double series = over * polynomial(over * over, 0.08333333333333333, -0.002777777777777778,
                                          0.0007936507936507937, -0.0005952380952380953, 0.0008417508417508417,
                                          -0.0019175269175269176, 0.00641025641025641, -0.029550653594771242);
  const double stirling = (x - 0.5) * (logarithm - 1.0) + (0.4189385332046727 + series);
  return far ? stirling : up ? near - logarithm : near + logarithm;
}
GC_INLINE F64 lgamma_but_for_zeros(F64 lane) {
  constexpr double inf = __builtin_inf(), pi = 3.141592653589793;
  const double x = lane.v;
  const bool mirrored = x < 0.0;
  const double positive = lgamma_positive(mirrored ? 1.0 - x : x);
  const double r = x - __builtin_rint(x), sine = __builtin_fabs(r * sin_pi_series(r * r));
  const double y = mirrored ? -log(F64{sine / pi}).v - positive : positive;
  return {__builtin_fabs(x) == inf ? inf : y};
}

// The positive zero of digamma, whose place takes two numbers, and Taylor's series there.
GC_INLINE double digamma_at_zero(double x) {
  const double d = (x - 1.4616321449683622) - 9.549995429965697e-17;
  return d * polynomial(d, 0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652,
                        0.10782405069126237, -0.07219956125645471, 0.04880428816414311, -0.03316112647484736,
                        0.022597648232218104, -0.01542476590494896, 0.010538791616612175, -0.007204534386356869,
                        0.004926781395729853, -0.003369801655439328, 0.002305126326734928, -0.0015769367714301972);
}
GC_INLINE F64 digamma(F64 x) {
  constexpr double inf = __builtin_inf(), pi = 3.141592653589793;
  const double d = x.v;
  const Reflected a = reflect(d);
  // 1 / z + ... + 1 / (z + 7): the derivative of the product of lgamma() over that product.
  const double u = a.z * (a.z + 7.0), slope = 2.0 * a.z + 7.0;
  const double p = u * (u + 6.0), q = (u + 10.0) * (u + 12.0);
  const double dp = 2.0 * u + 6.0, dq = 2.0 * u + 22.0;
  const double steps = a.low ? slope * (dp * q + p * dq) / (p * q) : 0.0;
  const double over = 1.0 / a.at, z = over * over;
  const double series = z * polynomial(z, 0.08333333333333333, -0.008333333333333333, 0.003968253968253968,
                                       -0.004166666666666667, 0.007575757575757576, -0.021092796092796094,
                                       0.08333333333333333, -0.4432598039215686, 3.0539543302701198);
  double y = log(F64{a.at}).v - 0.5 * over - series - steps;
  y = __builtin_fabs(d - 1.4616321449683622) < 0.125 ? digamma_at_zero(d) : y;
  const double r = d - __builtin_rint(d);
  const double cotangent = pi * cos_pi_series(r * r) / (r * sin_pi_series(r * r));
  double value = a.mirrored ? y - cotangent : y;
  const bool pole = (d <= 0.0) & (r == 0.0);
  value = pole ? __builtin_nan("") : value;
  value = d == 0.0 ? -__builtin_copysign(inf, d) : value;
  return {d == -inf ? __builtin_nan("") : value};
}

// The derivative of digamma. Every sum is of positive terms, but for the reflection, which loses a bit at most.
GC_INLINE F64 trigamma(F64 x) {
  constexpr double inf = __builtin_inf(), pi = 3.141592653589793;
  const double d = x.v;
  const Reflected a = reflect(d);
  // 1 / z**2 + ... + 1 / (z + 7)**2, two terms from both ends at a time: with p = z (z + 7) the first two are
  // (2 p + 49) / p**2.
  const double p = a.z * (a.z + 7.0), q = p + 6.0, r = p + 10.0, s = p + 12.0;
  const double pq = p * q, rs = r * s;
  const double outer = ((2.0 * p + 49.0) * (q * q) + (2.0 * q + 25.0) * (p * p)) / (pq * pq);
  const double inner = ((2.0 * r + 9.0) * (s * s) + (2.0 * s + 1.0) * (r * r)) / (rs * rs);
  const double steps = a.low ? outer + inner : 0.0;
  const double over = 1.0 / a.at, z = over * over;
  const double series = z * polynomial(z, 0.16666666666666666, -0.03333333333333333, 0.023809523809523808,
                                       -0.03333333333333333, 0.07575757575757576, -0.2531135531135531,
                                       1.1666666666666667, -7.092156862745098, 54.971177944862156, -529.1242424242424);
  const double y = over + 0.5 * z + over * series + steps;
  const double rest = d - __builtin_rint(d), sine = rest * sin_pi_series(rest * rest);
  const double value = a.mirrored ? (pi / sine) * (pi / sine) - y : y;
  return {d == -inf ? inf : value};
}

// ---- the parts of a float ----

// As a fraction from 1/2 to 1, by the bits; a denormal number is made a normal one first.
template <class T> struct FloatParts {
  T mantissa, exponent;
};
template <class T> GC_INLINE FloatParts<T> float_parts(T x) {
  using Bits = BitsOf<T>;
  constexpr int digits = Ieee<T>::kMantissa, up = digits + 1, half = Ieee<T>::kBias - 1;
  constexpr Bits kFraction = (Bits(1) << digits) - 1, kSign = Bits(1) << (8 * sizeof(T) - 1);
  const T size = abs(Lane<T>{x}).v;
  const bool denormal = size < Ieee<T>::kMinNormal, special = !(size < T(__builtin_inf())) | (size == T(0));
  const Bits bits = to_bits(x * (denormal ? T(Bits(1) << up) : T(1)));
  // As in exponent_value(): under the exponent of 2**kMantissa the biased one is a float already.
  constexpr T big = T(Bits(1) << digits);
  const T biased = from_bits(((bits & ~kSign) >> digits) | to_bits(big)) - big;
  const T mantissa = from_bits((bits & (kFraction | kSign)) | to_bits(T(0.5)));
  return {special ? x : mantissa, special ? T(0) : biased - T(denormal ? half + up : half)};
}
template <class T> GC_INLINE Lane<T> frexp_mantissa(Lane<T> x) { return {float_parts(x.v).mantissa}; }
template <class T> GC_INLINE Lane<T> frexp_exponent(Lane<T> x) { return {float_parts(x.v).exponent}; }

}  // namespace gradcore::GC_ISA
