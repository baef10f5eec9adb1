/* A named row of points. */
#include <math.h>
#include <spusk/extend.h>
#include <spusk/plot.h>
#include <string.h>

struct sp_series {
    char *name;
    double (*points)[2];
    int64_t n, capacity;
};

static void destroy(void *object)
{
    sp_series *series = object;
    if (series->name) sp_free(series->name, strlen(series->name) + 1);
    if (series->points) sp_free(series->points, (size_t)series->capacity * sizeof *series->points);
}

static const sp_kind kind = {"series", destroy};

sp_series *sp_series_new(const char *name)
{
    if (!name) return sp_raise_null("sp_series_new", "name"), NULL;
    sp_series *series = sp_object_new(&kind, sizeof *series);
    if (!series) return NULL;
    series->name = sp_strdup(name);
    if (series->name) return series;
    sp_release(series);
    return NULL;
}

static sp_status grow(sp_series *series)
{
    int64_t capacity = series->capacity ? 2 * series->capacity : 64;
    double(*points)[2] = sp_alloc((size_t)capacity * sizeof *points);
    if (!points) return sp_error_status();
    if (series->points) {
        memcpy(points, series->points, (size_t)series->n * sizeof *points);
        sp_free(series->points, (size_t)series->capacity * sizeof *points);
    }
    series->points = points;
    series->capacity = capacity;
    return SP_OK;
}

sp_status sp_series_push_xy(sp_series *series, double x, double y)
{
    if (!series) return sp_raise_null("sp_series_push_xy", "series");
    if (series->n == series->capacity && grow(series) != SP_OK) return sp_error_status();
    series->points[series->n][0] = x;
    series->points[series->n++][1] = y;
    return SP_OK;
}

sp_status sp_series_push(sp_series *series, double y)
{
    if (!series) return sp_raise_null("sp_series_push", "series");
    return sp_series_push_xy(series, (double)series->n, y);
}

int64_t sp_series_length(const sp_series *series)
{
    if (!series) return sp_raise_null("sp_series_length", "series"), 0;
    return series->n;
}

static double coordinate(const sp_series *series, int64_t i, int which)
{
    if (!series) return sp_raise_null("sp_series_x and sp_series_y", "series"), (double)NAN;
    if (i >= 0 && i < series->n) return series->points[i][which];
    sp_raise(SP_ERROR_ARGUMENT, "point %lld of a series of %lld", (long long)i, (long long)series->n);
    return (double)NAN;
}

double sp_series_x(const sp_series *series, int64_t i)
{
    return coordinate(series, i, 0);
}

double sp_series_y(const sp_series *series, int64_t i)
{
    return coordinate(series, i, 1);
}

const char *sp_series_name(const sp_series *series)
{
    if (!series) return sp_raise_null("sp_series_name", "series"), "";
    return series->name;
}
