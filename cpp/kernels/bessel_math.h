// Bessel functions of orders 0 and 1 in lanes. Start at modified_i(), modified_k() and swinging(). All compute in
// double.
//
// Polynomials about 0 are power series (Abramowitz and Stegun, 9.1 and 9.6), the others interpolate at Chebyshev's
// nodes, in 45 digits. Note [Accuracy of special functions] tells who judges them.
#pragma once
#include "kernels/elementwise/loops.h"
#include "kernels/special_math.h"

namespace gradcore::GC_ISA {

// ---- modified, of the first kind

// By the power series up to 8; beyond, as e**x / sqrt(x) times a function of 1 / x.
constexpr double kModifiedNear = 8.0;
// I0(x), or I1(x) / x, of x * x.
template <int kOrder> GC_INLINE double modified_i_series(double z) {
  if constexpr (kOrder == 0)
    return polynomial(z, 1.0, 0.25, 0.015625, 0.00043402777777777775, 6.781684027777777e-06, 6.781684027777778e-08,
                      4.709502797067901e-10, 2.4028075495244395e-12, 9.385966990329842e-15, 2.896903392077112e-17,
                      7.242258480192779e-20, 1.4963343967340453e-22, 2.5978027721077174e-25, 3.842903509035085e-28,
                      4.9016626390753635e-31, 5.4462918211948485e-34, 5.318644356635594e-37, 4.60090342269515e-40,
                      3.5500798014623073e-43, 2.458504017633177e-46, 1.5365650110207356e-49);
  else
    return polynomial(z, 0.5, 0.0625, 0.0026041666666666665, 5.425347222222222e-05, 6.781684027777778e-07,
                      5.651403356481481e-09, 3.363930569334215e-11, 1.5017547184527747e-13, 5.214426105738801e-16,
                      1.4484516960385557e-18, 3.2919356728148996e-21, 6.234726653058522e-24, 9.991549123491221e-27,
                      1.3724655389411017e-29, 1.6338875463584545e-32, 1.7019661941233902e-35, 1.564307163716351e-38,
                      1.2780287285264307e-41, 9.342315267006072e-45, 6.146260044082942e-48, 3.658488121477942e-51);
}
// sqrt(x) e**-x I(x) of 8 / x.
template <int kOrder> GC_INLINE double modified_i_far(double u) {
  if constexpr (kOrder == 0)
    return polynomial(u - 0.5, 0.4021765094450081, 0.006721103967335708, 0.0005448642975693098, 8.914427033245394e-05,
                      2.3741560757771826e-05, 9.51551498393334e-06, 5.678242247222938e-06, 5.03373114841998e-06,
                      5.515565478614017e-06, 3.867400432822219e-06, -6.891237490609713e-06, -2.7451887599576824e-05,
                      -2.2399375153506713e-05, 6.177260649587371e-05, 0.00012419434642067816, -0.00011422232566181054,
                      -0.0004055541409708351, 0.0001963302361742824, 0.001017420514327545, -0.00029161957569752694,
                      -0.0018653511725001918, 0.00030769910454344794, 0.0021734618966422333, -0.00016120189791708707,
                      -0.0011859710830350223);
  else
    return polynomial(u - 0.5, 0.38939845902587233, -0.019499154386471457, -0.000876943055337211,
                      -0.00012030837760941017, -2.9358561815466296e-05, -1.1148337948831799e-05,
                      -6.4008470150825185e-06, -5.520557273563336e-06, -5.982872645406354e-06, -4.314430888754255e-06,
                      6.876974211159058e-06, 2.8732812472018363e-05, 2.4743433593491406e-05, -6.251112013877721e-05,
                      -0.00013179668522871207, 0.00011162865271428855, 0.000425133314669392, -0.0001857512802702406,
                      -0.0010611026568706414, 0.00026982475765315755, 0.0019413039050141978, -0.0002814936497693072,
                      -0.002260010950584602, 0.000146821592886396, 0.0012327885636134986);
}
// Of |x| up to 8; times e**-|x| if kScaled.
template <int kOrder, bool kScaled> GC_INLINE double modified_i_near(double x) {
  const double size = __builtin_fabs(x), series = modified_i_series<kOrder>(x * x);
  double y = kOrder ? size * series : series;
  y = kScaled ? y * exp(F64{-size}).v : y;
  return kOrder && x < 0.0 ? -y : y;  // of -0 it is 0, as in torch
}
// Of |x| from 8, and NaN.
template <int kOrder, bool kScaled> GC_INLINE double modified_i_beyond(double x) {
  constexpr double inf = __builtin_inf();
  const double size = __builtin_fabs(x), over = 8.0 / size;
  const double far = modified_i_far<kOrder>(over) / sqrt(F64{size}).v;
  const double half = kScaled ? 1.0 : exp(F64{0.5 * size}).v;  // e**x alone overflows sooner than the product
  const double y = half * far * half, at_end = size == inf ? (kScaled ? 0.0 : inf) : y;
  return kOrder ? __builtin_copysign(at_end, x) : at_end;
}
template <int kOrder, bool kScaled> GC_INLINE double modified_i(double x) {
  const double near = modified_i_near<kOrder, kScaled>(x), far = modified_i_beyond<kOrder, kScaled>(x);
  return __builtin_fabs(x) <= kModifiedNear ? near : far;
}

// ---- modified, of the second kind

// Up to 1 by the series that has a logarithm; beyond, as e**-x sqrt(u) times a function of u = 1 / (1 + x).
template <int kOrder, bool kScaled> GC_INLINE double modified_k(double x) {
  constexpr double inf = __builtin_inf();
  const bool is_near = x < 1.0;
  const double bounded = is_near ? x : 1.0, z = bounded * bounded;
  const double log_x = log(F64{bounded}).v, u = 1.0 / (1.0 + (is_near ? 1.0 : x));
  double near, far;
  if constexpr (kOrder == 0) {
    near =
        polynomial(z, 0.11593151565841245, 0.2789828789146031, 0.025248929932162694, 0.000846035090708223,
                   1.4914719299260428e-05, 1.6271056104815983e-07, 1.2084261650077973e-09, 6.508697838747355e-12,
                   2.6597846806398086e-14) -
        log_x * polynomial(z, 1.0, 0.25, 0.015625, 0.00043402777777777775, 6.781684027777777e-06, 6.781684027777778e-08,
                           4.709502797067901e-10, 2.4028075495244395e-12, 9.385966990329842e-15);
    far = polynomial(u - 0.25, 1.3955231960877035, 0.690613834542517, 0.6033644930550158, 0.5892071938817809,
                     0.6316261673953294, 0.6949917855393809, 0.7999855044975425, 0.9254986018676896, 1.1072342141188947,
                     1.3142123678834345, 1.6156561338253341, 1.9397382009379123, 2.448627800320488, 2.925993399564946,
                     3.78085799538906, 4.523408659110242, 7.029232221411245, 5.379145478152198, 2.194310391454771,
                     21.272436596300825, 65.69205143078005, -52.44982059328573);
  } else {
    near = 1.0 / bounded +
           bounded * (polynomial(z, -0.3079657578292062, -0.08537071972865078, -0.004642182766471561,
                                 -0.00011253607036630566, -1.5592887702038207e-06, -1.4030163700386776e-08,
                                 -8.871896219293853e-11, -4.1617958191203955e-13, -1.506627189831776e-15) +
                      log_x * polynomial(z, 0.5, 0.0625, 0.0026041666666666665, 5.425347222222222e-05,
                                         6.781684027777778e-07, 5.651403356481481e-09, 3.363930569334215e-11,
                                         1.5017547184527747e-13, 5.214426105738801e-16));
    far = polynomial(u - 0.25, 1.6131269602575737, 1.895429640807322, 2.428546648408437, 3.2129866584217734,
                     4.253241884716722, 5.661657541699938, 7.5273006582821465, 10.033953629570735, 13.355059749309735,
                     17.81374823277041, 23.714479591055277, 31.65004276858005, 42.129496326117604, 56.28301314640116,
                     74.5433252239619, 99.6126781079711, 137.57848101517058, 187.27559360300344, 179.80325131544555,
                     219.47268745996155, 754.3275693215189, 1155.3202612377147);
  }
  const double scale = exp(F64{kScaled ? bounded : -x}).v;
  far *= sqrt(F64{u}).v;
  double y = kScaled ? (is_near ? near * scale : far) : (is_near ? near : far * scale);
  y = x == 0.0 ? inf : y;
  return x >= 0.0 ? y : __builtin_nan("");
}

// ---- of the first and second kind

// Up to 8 by a polynomial in x * x, and log(x) J(x) for the second kind.
constexpr double kSwingingNear = 8.0;
// J0(x), or J1(x) / x.
template <int kOrder> GC_INLINE double j_near(double z) {
  if constexpr (kOrder == 0)
    return polynomial(z - 32.0, 0.04582966485981377, 0.029071913977995537, -0.0006332707842648278,
                      -2.4660913319997777e-05, 9.902758227765285e-07, -1.512372630378902e-08, 1.3596271031311962e-10,
                      -8.286651750933974e-13, 3.690801339999603e-15, -1.2606333326378718e-17, 3.417106407285438e-20,
                      -7.543269408077389e-23, 1.38397184838897e-25, -2.145452621029251e-28, 2.8489533534235977e-31,
                      -3.2909906904193924e-34, 3.311240192834054e-37);
  else
    return polynomial(z - 32.0, -0.05814382795599107, 0.002533083137059311, 0.00014796547991998668,
                      -7.922206582212228e-06, 1.5123726303788984e-07, -1.6315525237574353e-09, 1.1601312451309873e-11,
                      -5.905282143999524e-14, 2.269139998677271e-16, -6.834212814520353e-19, 1.6595192808550806e-21,
                      -3.321532444184052e-24, 5.5781682909554574e-27, -7.977063112248365e-30, 9.875533316890472e-33,
                      -1.0597873164078067e-35);
}
template <int kOrder> GC_INLINE double bessel_j_near(double x) { return (kOrder ? x : 1.0) * j_near<kOrder>(x * x); }
// Y0 about its first zero, whose place takes two numbers: Taylor's series.
constexpr double kZeroOfY0 = 0.8935769662791675;
GC_INLINE double y0_at_zero(double x) {
  const double d = (x - kZeroOfY0) - 2.6596231539720385e-17;
  return d * polynomial(d, 0.8794208024971948, -0.49207893426297755, 0.22055282848167643, -0.22612171354416336,
                        0.2189484270103813, -0.20487719790614795, 0.1973356693290941, -0.19395009058736717,
                        0.1933761857036059, -0.19506492780964346, 0.19866677921832507, -0.20396193708295582,
                        0.21082123408542908, -0.2191783726800134, 0.22901290519697007, -0.24033964104911565,
                        0.25320198609309735, -0.2676678000959038, 0.2838269254051203);
}
template <int kOrder> GC_INLINE double bessel_y_near(double x) {
  constexpr double inf = __builtin_inf(), two_over_pi = 0.6366197723675814;
  const double z = x * x, log_x = two_over_pi * log(F64{x}).v;
  double y;
  if constexpr (kOrder == 0)
    y = log_x * j_near<0>(z) + polynomial(z - 32.0, -0.382250654459425, -0.025888621573764335, 0.0016084926551509244,
                                          4.398386343170921e-06, -1.0276295984474178e-06, 2.0032437990402218e-08,
                                          -2.0392003558735958e-10, 1.3494586944980292e-12, -6.389874267616093e-15,
                                          2.291240565346129e-17, -6.465532005379263e-20, 1.476962666167703e-22,
                                          -2.7916105485492112e-25, 4.442755575760332e-28, -6.0397413593306155e-31,
                                          7.1275009065013e-34, -7.311009700435112e-37);
  else
    y = x * (log_x * j_near<1>(z) + polynomial(z - 32.0, 0.07075985882118005, -0.007605544712247848,
                                               2.2819894258782696e-05, 7.173830934652635e-06, -1.8730010852747157e-07,
                                               2.3409089214332514e-09, -1.8280704350319794e-11, 9.96075902343299e-14,
                                               -4.0364952241545176e-16, 1.2697208298747e-18, -3.1983305093997487e-21,
                                               6.6071954344689164e-24, -1.1408536763721334e-26, 1.6722991560795548e-29,
                                               -2.1171854779924692e-32, 2.3182673376008238e-35)) -
        two_over_pi / x;
  if constexpr (kOrder == 0) y = __builtin_fabs(x - kZeroOfY0) < 0.125 ? y0_at_zero(x) : y;
  y = x == 0.0 ? -inf : y;
  return x >= 0.0 ? y : __builtin_nan("");
}
// Beyond, of x > 8, by amplitude and phase (Abramowitz and Stegun, 9.2.5): with c the cosine and s the sine of x less
// its multiple of pi / 4, J is P c - Q s, and Y is P s + Q c, times sqrt(2 / (pi x)).
template <int kOrder, bool kSecond> GC_INLINE double swinging(double x) {
  constexpr double inf = __builtin_inf();
  const double over = 8.0 / x, w = over * over;
  double p, q;
  if constexpr (kOrder == 0) {
    p = polynomial(w - 0.5, 0.9994572757882519, -0.0010727346384280868, 2.4549664321941236e-05, -1.6421956874079311e-06,
                   2.0486006687735016e-07, -3.879142168044797e-08, 9.922942206463899e-09, -3.1527927587166815e-09,
                   1.2019432685526932e-09, -6.640308361318345e-10, 3.4524433080101916e-10);
    q = 1.0 / x *
        polynomial(w - 0.5, -0.12444091103610815, 0.001093303855894429, -4.7268442644243717e-05, 4.5479775760204655e-06,
                   -7.255957131314444e-07, 1.6467713472237375e-07, -4.848665253823218e-08, 1.746948094978639e-08,
                   -7.374440407606718e-09, 3.3489672676506134e-09, -1.7496973578197605e-09, 1.6188398669175228e-09,
                   -1.078235006428609e-09);
  } else {
    p = polynomial(w - 0.5, 1.0009070262780821, 0.00179760988334333, -3.1838778795348824e-05, 1.9629411218180452e-06,
                   -2.3533608452293625e-07, 4.353366550334072e-08, -1.096662739495906e-08, 3.4477900156519394e-09,
                   -1.3039567794217472e-09, 7.14293326240124e-10, -3.695212080719362e-10);
    q = 1.0 / x *
        polynomial(w - 0.5, 0.3742149922195918, -0.0015394334115280816, 5.827845923881552e-05, -5.306854923447231e-06,
                   8.217770218598633e-07, -1.830661033572971e-07, 5.322093227995906e-08, -1.8998409817723517e-08,
                   7.963693770525352e-09, -3.5999220832367886e-09, 1.8727998110376395e-09, -1.720567549556561e-09,
                   1.1424577689847677e-09);
  }
  // The sine is that of |x|: of one argument the compiler would make a single call, which has no vector form.
  const double sine = sin(F64{kSecond ? __builtin_fabs(x) : x}).v, cosine = cos(F64{x}).v;
  // Of x - pi / 4 and x - 3 pi / 4, times sqrt(2).
  const double c = kOrder ? sine - cosine : sine + cosine, s = kOrder ? -sine - cosine : sine - cosine;
  const double wave = kSecond ? p * s + q * c : p * c - q * s;
  const double y = wave * 0.5641895835477563 / sqrt(F64{x}).v;
  return x == inf ? 0.0 : y;
}

// ---- the functions: Note [Two ways], and Note [Floats in double]

#define GC_WAY(V, f, ...)                 \
  GC_INLINE V<double> f(V<double> lane) { \
    const double x = lane.v;              \
    return F64{__VA_ARGS__};              \
  }
#define GC_MODIFIED_I(f, order, scaled)               \
  GC_WAY(Lane, f, modified_i<order, scaled>(x))       \
  GC_WAY(Far, f, modified_i_beyond<order, scaled>(x)) \
  GC_WAY(Near, f, modified_i_near<order, scaled>(x))
GC_MODIFIED_I(i0, 0, false)
GC_MODIFIED_I(i0e, 0, true)
GC_MODIFIED_I(i1, 1, false)
GC_MODIFIED_I(i1e, 1, true)
GC_WAY(Lane, modified_bessel_k0, modified_k<0, false>(x))
GC_WAY(Lane, modified_bessel_k1, modified_k<1, false>(x))
GC_WAY(Lane, scaled_modified_bessel_k0, modified_k<0, true>(x))
GC_WAY(Lane, scaled_modified_bessel_k1, modified_k<1, true>(x))
GC_WAY(Near, bessel_j0, bessel_j_near<0>(x))
GC_WAY(Near, bessel_j1, bessel_j_near<1>(x))
GC_WAY(Near, bessel_y0, bessel_y_near<0>(x))
GC_WAY(Near, bessel_y1, bessel_y_near<1>(x))
GC_WAY(Far, bessel_j0, swinging<0, false>(__builtin_fabs(x)))
GC_WAY(Far, bessel_j1, __builtin_copysign(1.0, x) * swinging<1, false>(__builtin_fabs(x)))
GC_WAY(Far, bessel_y0, swinging<0, true>(x))
GC_WAY(Far, bessel_y1, swinging<1, true>(x))
// sin(x) / x, near 0 by Taylor's series.
constexpr double kSphericalNear = 0.5;
GC_WAY(Near, spherical_bessel_j0,
       polynomial(x* x, 1.0, -0.16666666666666666, 0.008333333333333333, -0.0001984126984126984, 2.7557319223985893e-06,
                  -2.505210838544172e-08, 1.6059043836821613e-10))
GC_WAY(Far, spherical_bessel_j0, __builtin_fabs(x) == __builtin_inf() ? 0.0 : sin(F64{x}).v / x)
#undef GC_MODIFIED_I
#undef GC_WAY

}  // namespace gradcore::GC_ISA
