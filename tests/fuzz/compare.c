#include "backends/cpu/cpu.h"
#include "fuzz/fuzz.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const results[FUZZ_RESULTS] = {"the value",  "gradient 1", "gradient 2", "gradient 3",
                                                  "gradient 4", "gradient 5", "gradient 6"};

static const char *name_of(int i)
{
    return results[i] ? results[i] : "a later gradient";
}

static double value_at(const fuzz_array *a, int64_t i)
{
    return sp__load_f64(a->dtype, (const char *)a->data + i * (int64_t)sp_dtype_size(a->dtype));
}

static bool say(char why[FUZZ_WHY], const char *what, int64_t i, double a, double b)
{
    snprintf(why, FUZZ_WHY, "%s: element %lld is %.17g, and should be %.17g", what, (long long)i, b, a);
    return false;
}

static bool same_form(const fuzz_array *a, const fuzz_array *b)
{
    return a->dtype == b->dtype && a->ndim == b->ndim &&
           memcmp(a->sizes, b->sizes, (size_t)a->ndim * sizeof *a->sizes) == 0;
}

/* ---- bit for bit ---- */

static bool same_element(const fuzz_array *a, const fuzz_array *b, int64_t i)
{
    const size_t item = sp_dtype_size(a->dtype);
    const char *p = (const char *)a->data + i * (int64_t)item, *q = (const char *)b->data + i * (int64_t)item;
    if (memcmp(p, q, item) == 0) return true;
    return sp_dtype_is_floating_point(a->dtype) && isnan(value_at(a, i)) && isnan(value_at(b, i));
}

static bool same_array(const fuzz_array *a, const fuzz_array *b, const char *what, char why[FUZZ_WHY])
{
    for (int64_t i = 0; i < a->n; i++)
        if (!same_element(a, b, i)) return say(why, what, i, value_at(a, i), value_at(b, i));
    return true;
}

/* ---- within rounding ---- */

double fuzz_scale(const fuzz_array *a)
{
    double largest = 0;
    for (int64_t i = 0; i < a->n; i++) {
        const double x = fabs(value_at(a, i));
        if (isfinite(x) && x > largest) largest = x;
    }
    return largest;
}

/* Each term is rounded in the dtype of sums, f32 for bf16; their errors mostly cancel. The result is rounded in its
 * own. */
static double unit_of(sp_dtype dtype, double terms)
{
    switch (dtype) {
    case SP_F64: return 8 * DBL_EPSILON * (2 + sqrt(terms));
    case SP_F32: return 8 * (double)FLT_EPSILON * (2 + sqrt(terms));
    case SP_BF16: return 4 * 0x1p-8 + 8 * (double)FLT_EPSILON * sqrt(terms);
    default: return 0;
    }
}

static bool close_array(const fuzz_array *a, const fuzz_array *b, double terms, double scale, const char *what,
                        char why[FUZZ_WHY])
{
    const bool floating = sp_dtype_is_floating_point(a->dtype);
    if (!floating) return same_array(a, b, what, why);
    const double unit = unit_of(a->dtype, terms);
    const double smallest = (a->dtype == SP_F64 ? DBL_MIN : (double)FLT_MIN) * (1 + terms); /* taken for 0 in sums */
    for (int64_t i = 0; i < a->n; i++) {
        const double x = value_at(a, i), y = value_at(b, i);
        if (x == y || (isnan(x) && isnan(y))) continue;
        if (!(fabs(x - y) <= unit * scale + smallest)) return say(why, what, i, x, y);
    }
    return true;
}

/* ---- outcomes ---- */

static bool same_forms(const fuzz_outcome *a, const fuzz_outcome *b, int n, char why[FUZZ_WHY])
{
    if (!a->n != !b->n || b->n < n) {
        snprintf(why, FUZZ_WHY, "%d results, and there should be %d", b->n, a->n);
        return false;
    }
    for (int i = 0; i < n; i++)
        if (!same_form(&a->arrays[i], &b->arrays[i])) {
            snprintf(why, FUZZ_WHY, "%s has another dtype or shape", name_of(i));
            return false;
        }
    return true;
}

bool fuzz_same_bits(const fuzz_outcome *a, const fuzz_outcome *b, bool forward_alone, char why[FUZZ_WHY])
{
    const int n = forward_alone && a->n > 1 ? 1 : a->n;
    bool same = same_forms(a, b, n, why);
    for (int i = 0; i < n && same; i++) same = same_array(&a->arrays[i], &b->arrays[i], name_of(i), why);
    return same;
}

bool fuzz_close(const fuzz_outcome *right, const fuzz_outcome *x, double terms, double beside, char why[FUZZ_WHY])
{
    bool close = same_forms(right, x, right->n, why);
    for (int i = 0; i < right->n && close; i++) {
        const double scale = fmax(beside, fuzz_scale(&right->arrays[i]));
        close = close_array(&right->arrays[i], &x->arrays[i], terms, scale, name_of(i), why);
    }
    return close;
}
