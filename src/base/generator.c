/* Random numbers from counters: block `position` of a seed's stream is Philox 4x32-10 of (position, 0) under the seed
 * as the key. Nothing here depends on libm, on contraction or on the order of draws elsewhere.
 *
 * Sources: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; Wichura, "Algorithm AS 241: the
 * percentage points of the normal distribution", Applied Statistics 37 (1988), for the inverse distribution function.
 */
#include "base/base.h"
#include <float.h>
#include <math.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1, "doubles must be rounded to double at each operation");

/* ---- Philox ---- */

void sp_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)c0 * 0xD2511F53u, b = (uint64_t)c2 * 0xCD9E8D57u;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

void sp__generator_block(uint64_t seed, uint64_t position, uint32_t out[4])
{
    const uint32_t counter[4] = {(uint32_t)position, (uint32_t)(position >> 32), 0, 0};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    sp_philox(out, counter, key);
}

/* ---- from words to numbers ---- */

double sp__uniform_f64(uint32_t high, uint32_t low)
{
    return (double)(((uint64_t)high << 32 | low) >> 11) * 0x1p-53;
}

float sp__uniform_f32(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

/* c[0] + c[1]·x + … + c[n-1]·x^(n-1) */
static double polynomial(const double *c, int n, double x)
{
    double sum = c[n - 1];
    for (int i = n - 2; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

/* 2·artanh's series. */
const double sp__normal_log[12] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                   1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};

/* The natural logarithm of a normal number: x = m·2^e with m in [√½, √2), log m = 2·artanh((m-1)/(m+1)). */
static double logarithm(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0xFFFFFFFFFFFFFull) | 0x3FF0000000000000ull;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) m *= 0.5, exponent++;
    double s = (m - 1) / (m + 1);
    double log_m = 2 * s * polynomial(sp__normal_log, 12, s * s);
    return exponent * 0x1.62e42fee00000p-1 + (exponent * 0x1.a39ef35793c76p-33 + log_m);
}

/* AS 241's three rational functions, numerator and denominator: near the median, in the tails, far out. */
const double sp__normal_central[2][8] = {
    {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
     4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
    {1.0, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4,
     3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3}};
const double sp__normal_tail[2][8] = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
     1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};

static double central(double q)
{
    double r = 0.180625 - q * q;
    return q * polynomial(sp__normal_central[0], 8, r) / polynomial(sp__normal_central[1], 8, r);
}

static double tail(double r)
{
    return polynomial(sp__normal_tail[0], 8, r - 1.6) / polynomial(sp__normal_tail[1], 8, r - 1.6);
}

double sp__normal_far_tail(double r)
{
    static const double e[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                               2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[] = {1.0,
                               5.99832206555887937690e-1,
                               1.36929880922735805310e-1,
                               1.48753612908506148525e-2,
                               7.86869131145613259100e-4,
                               1.84631831751005468180e-5,
                               1.42151175831644588870e-7,
                               2.04426310338993978564e-15};
    return polynomial(e, 8, r - 5) / polynomial(f, 8, r - 5);
}

/* The uniform number has 52 bits and a half, so that it is never 0 or 1 and the distribution is symmetric. */
double sp__normal(uint32_t high, uint32_t low)
{
    uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
    double p = ((double)bits + 0.5) * 0x1p-52;
    double q = p - 0.5;
    if (q >= -0.425 && q <= 0.425) return central(q);
    double r = sqrt(-logarithm(q < 0 ? p : 1 - p));
    double z = r <= 5 ? tail(r) : sp__normal_far_tail(r);
    return q < 0 ? -z : z;
}

/* ---- generators ---- */

static const sp_kind generator_kind = {"generator", NULL};

/* A thread's own generator is a variable, not an allocation. It has so many holds that it is never destroyed. */
typedef struct thread_generator {
    _Alignas(64) sp__object head;
    sp_generator generator;
} thread_generator;
static _Thread_local thread_generator the_default = {
    .head = {.kind = &generator_kind, .size = sizeof(sp_generator), .holds = SP__FOREVER, .mark = SP__LIVE}};

sp_generator *sp_default_generator(void)
{
    return &the_default.generator;
}

void sp_manual_seed(uint64_t seed)
{
    the_default.generator = (sp_generator){.seed = seed};
}

sp_generator *sp_generator_new(uint64_t seed)
{
    sp_generator *generator = sp_object_new(&generator_kind, sizeof *generator);
    if (generator) generator->seed = seed;
    return generator;
}

static sp_status check(const sp_generator *generator, const char *function)
{
    return sp__check(generator, &generator_kind, function, "generator");
}

sp_status sp_generator_manual_seed(sp_generator *generator, uint64_t seed)
{
    sp_status status = check(generator, "sp_generator_manual_seed");
    if (status == SP_OK) *generator = (sp_generator){.seed = seed};
    return status;
}

uint64_t sp_generator_initial_seed(const sp_generator *generator)
{
    return check(generator, "sp_generator_initial_seed") ? 0 : generator->seed;
}

uint64_t sp_generator_position(const sp_generator *generator)
{
    return check(generator, "sp_generator_position") ? 0 : generator->position;
}

sp_status sp_generator_set_position(sp_generator *generator, uint64_t position)
{
    sp_status status = check(generator, "sp_generator_set_position");
    if (status == SP_OK) generator->position = position;
    return status;
}

uint64_t sp__generator_take(sp_generator *generator, uint64_t blocks)
{
    if (!generator) generator = sp_default_generator();
    uint64_t position = generator->position;
    generator->position += blocks;
    return position;
}

/* ---- single draws: a block each, so that seed and position are the whole state ---- */

static bool draw(sp_generator *generator, const char *function, uint32_t words[4])
{
    if (check(generator, function)) return false;
    sp__generator_block(generator->seed, generator->position++, words);
    return true;
}

uint32_t sp_generator_u32(sp_generator *generator)
{
    uint32_t words[4];
    return draw(generator, "sp_generator_u32", words) ? words[0] : 0;
}

double sp_generator_uniform(sp_generator *generator)
{
    uint32_t words[4];
    return draw(generator, "sp_generator_uniform", words) ? sp__uniform_f64(words[0], words[1]) : 0;
}

double sp_generator_normal(sp_generator *generator)
{
    uint32_t words[4];
    return draw(generator, "sp_generator_normal", words) ? sp__normal(words[0], words[1]) : 0;
}

/* The high half of a 64 by 64 bit product; *low gets the other. */
static uint64_t multiply(uint64_t a, uint64_t b, uint64_t *low)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t carry = a0 * b1 + (uint32_t)middle;
    *low = a * b;
    return a1 * b1 + (middle >> 32) + (carry >> 32);
}

/* Lemire, "Fast random integer generation in an interval" (2019): the few products that would favour some numbers are
 * drawn again, so that all are equally likely. */
int64_t sp_generator_below(sp_generator *generator, int64_t n)
{
    if (n <= 0) {
        sp_raise(SP_ERROR_ARGUMENT, "sp_generator_below: n is %lld and must be positive", (long long)n);
        return 0;
    }
    uint64_t range = (uint64_t)n, low, high;
    do {
        uint32_t words[4];
        if (!draw(generator, "sp_generator_below", words)) return 0;
        high = multiply((uint64_t)words[0] << 32 | words[1], range, &low);
    } while (low < range && low < (0 - range) % range);
    return (int64_t)high;
}
