/* A named row of points. */
#include <math.h>
#include <spusk/extend.h>
#include <spusk/plot.h>
#include <string.h>

struct sp_series {
    char *name;
    double (*points)[2];
    int64_t n;
    size_t capacity;
};

static void destroy(void *object)
{
    sp_series *series = object;
    sp_free_text(series->name);
    sp_free(series->points, series->capacity * sizeof *series->points);
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

sp_status sp_series_push_xy(sp_series *series, double x, double y)
{
    if (!series) return sp_raise_null("sp_series_push_xy", "series");
    if (sp_reserve(&series->points, &series->capacity, (size_t)series->n + 1, sizeof *series->points) != SP_OK)
        return sp_error_status();
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
