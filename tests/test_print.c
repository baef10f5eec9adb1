/* sp_to_string and sp_print against PyTorch's text: the cases of fixtures/print.txt, made by tools/fixtures_print.py.
 */
#include "support/support.h"
#include <inttypes.h>
#include <spusk/spusk.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct print_case {
    int number, ndim;
    sp_dtype dtype;
    int64_t sizes[SP_MAX_DIMS];
    char values[4000]; /* the line */
    char steps[4][16];
    int n_steps;
    char text[20000];
} print_case;

static char *line;
static size_t line_room;

/* The next line without its end; false at the file's end. */
static bool next_line(FILE *file)
{
    ssize_t n = getline(&line, &line_room, file);
    if (n > 0 && line[n - 1] == '\n') line[n - 1] = '\0';
    return n > 0;
}

static const char *field(const char *name)
{
    size_t n = strlen(name);
    return strncmp(line, name, n) == 0 ? line + n : NULL;
}

static sp_dtype dtype_named(const char *name)
{
    for (int i = 1; i < SP_DTYPE_COUNT; i++) {
        if (!strcmp(sp_dtype_name((sp_dtype)i), name)) return (sp_dtype)i;
    }
    fail_msg("no dtype %s", name);
    return SP_F32;
}

static void read_text(FILE *file, int lines, char *text, size_t size)
{
    size_t length = 0;
    for (int i = 0; i < lines && next_line(file); i++) {
        length += (size_t)snprintf(text + length, size - length, i ? "\n%s" : "%s", line);
        assert_true(length < size);
    }
}

static void copy_line(char *to, size_t size)
{
    assert_true(strlen(line) < size);
    memcpy(to, line, strlen(line) + 1);
}

static bool read_case(FILE *file, print_case *c)
{
    memset(c, 0, sizeof *c);
    while (next_line(file)) {
        const char *rest;
        if ((rest = field("case ")))
            c->number = atoi(rest);
        else if ((rest = field("dtype ")))
            c->dtype = dtype_named(rest);
        else if ((rest = field("shape")))
            for (char *end; *rest && c->ndim < SP_MAX_DIMS; rest = end) c->sizes[c->ndim++] = strtoll(rest, &end, 10);
        else if (field("values") || field("formula"))
            copy_line(c->values, sizeof c->values);
        else if ((rest = field("then ")))
            snprintf(c->steps[c->n_steps++], sizeof c->steps[0], "%.15s", rest);
        else if ((rest = field("text "))) {
            read_text(file, atoi(rest), c->text, sizeof c->text);
            return true;
        } else
            fail_msg("what is \"%s\"?", line);
    }
    return false;
}

/* ---- the tensor of a case ---- */

/* Element i of an array of the dtype, from a float or an integer. */
static void store(sp_dtype dtype, void *data, int64_t i, double number, int64_t integer)
{
    float single = (float)number;
    switch (dtype) {
    case SP_F32: ((float *)data)[i] = single; break;
    case SP_F64: ((double *)data)[i] = number; break;
    case SP_BF16: { /* the numbers of the file are bf16 already */
        uint32_t bits;
        memcpy(&bits, &single, sizeof bits);
        ((uint16_t *)data)[i] = (uint16_t)(bits >> 16);
        break;
    }
    case SP_I64: ((int64_t *)data)[i] = integer; break;
    case SP_I32: ((int32_t *)data)[i] = (int32_t)integer; break;
    case SP_U8: ((uint8_t *)data)[i] = (uint8_t)integer; break;
    case SP_BOOL: ((bool *)data)[i] = integer != 0; break;
    case SP_DTYPE_DEFAULT: fail();
    }
}

static void fill_by_formula(const print_case *c, void *data, int64_t n)
{
    int64_t multiply, add, modulo, subtract;
    double scale;
    assert_int_equal(sscanf(c->values, "formula %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %lf", &multiply, &add,
                            &modulo, &subtract, &scale),
                     5);
    for (int64_t i = 0; i < n; i++) {
        int64_t whole = (i * multiply + add) % modulo - subtract;
        store(c->dtype, data, i, (double)whole * scale, whole);
    }
}

static void fill_by_values(const print_case *c, void *data, int64_t n)
{
    const char *rest = c->values + strlen("values");
    for (int64_t i = 0; i < n; i++) {
        double number = 0;
        int64_t integer = 0;
        char *end;
        if (sp_dtype_is_floating_point(c->dtype))
            number = strtod(rest, &end);
        else
            integer = strtoll(rest, &end, 10);
        assert_ptr_not_equal(rest, end);
        store(c->dtype, data, i, number, integer);
        rest = end;
    }
    assert_int_equal(*rest, '\0');
}

static sp_tensor *take_step(sp_tensor *x, const char *step)
{
    if (!strcmp(step, "grad")) return sp_requires_grad(x);
    if (!strcmp(step, "neg")) return sp_neg(x);
    if (!strcmp(step, "transpose")) return sp_transpose(x, 0, 1);
    if (!strcmp(step, "step")) return sp_slice(x, 0, 0, SP_END, 2);
    if (!strcmp(step, "select")) return sp_select(x, 0, 1);
    assert_string_equal(step, "expand");
    sp_dims dims = sp_sizes(x);
    int64_t sizes[SP_MAX_DIMS] = {3};
    for (int i = 0; i < dims.n; i++) sizes[i + 1] = dims.data[i];
    return (sp_expand)(x, (sp_dims){sizes, dims.n + 1});
}

static sp_tensor *build(const print_case *c)
{
    int64_t n = 1;
    for (int i = 0; i < c->ndim; i++) n *= c->sizes[i];
    static int64_t data[8192];
    assert_true(n <= 8192);
    if (strncmp(c->values, "formula", 7) == 0)
        fill_by_formula(c, data, n);
    else
        fill_by_values(c, data, n);
    sp_tensor *x = sp_from_data(data, ((sp_dims){c->sizes, c->ndim}), .dtype = c->dtype);
    for (int i = 0; i < c->n_steps; i++) x = take_step(x, c->steps[i]);
    return x;
}

/* ---- tests ---- */

static bool prints_as(const print_case *c)
{
    static char text[20000];
    bool same = false;
    SP_SCOPE {
        size_t length = sp_to_string(build(c), text, sizeof text);
        same = strcmp(text, c->text) == 0 && length == strlen(text);
    }
    if (!same) print_error("case %d: expected\n%s\ngot\n%s\n", c->number, c->text, text);
    return same;
}

static FILE *open_cases(void)
{
    FILE *file = fopen(SP_TEST_DIR "/fixtures/print.txt", "r");
    assert_non_null(file);
    return file;
}

static void test_every_case_is_pytorchs_text(void **state)
{
    (void)state;
    static print_case c;
    FILE *file = open_cases();
    int n = 0, wrong = 0;
    for (; read_case(file, &c); n++) {
        wrong += !prints_as(&c);
        assert_no_error();
    }
    free(line);
    line = NULL;
    fclose(file);
    assert_true(n > 500);
    assert_int_equal(wrong, 0);
}

static void test_a_small_buffer_gets_the_beginning(void **state)
{
    (void)state;
    static const char whole[] = "tensor([1.5000, 2.0000])";
    sp_tensor *x = sp_vector(1.5, 2);
    for (size_t size = 0; size < sizeof whole + 3; size++) {
        char text[40];
        memset(text, '#', sizeof text);
        assert_int_equal(sp_to_string(x, text, size), strlen(whole));
        size_t written = size ? strnlen(text, sizeof text) : 0;
        assert_int_equal(written, size == 0 ? 0 : size < sizeof whole ? size - 1 : sizeof whole - 1);
        assert_memory_equal(text, whole, written);
        assert_int_equal(text[size ? written + 1 : 0], '#');
    }
    assert_int_equal(sp_to_string(x, NULL, 0), strlen(whole));
}

/* Runs sp_print with standard output led into a file. */
static sp_status print_into(const char *path, const sp_tensor *x)
{
    fflush(stdout);
    int before = dup(1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    dup2(fileno(file), 1);
    sp_status status = sp_print(x);
    fflush(stdout);
    clearerr(stdout);
    dup2(before, 1);
    close(before);
    fclose(file);
    return status;
}

static void test_print_writes_a_line(void **state)
{
    (void)state;
    assert_int_equal(print_into(support_path("out"), sp_matrix(2, 2, 1, 2, 3, 4)), SP_OK);
    char text[100] = "";
    FILE *file = fopen(support_path("out"), "r");
    assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen("tensor([[1., 2.],\n        [3., 4.]])\n"));
    fclose(file);
    assert_string_equal(text, "tensor([[1., 2.],\n        [3., 4.]])\n");
}

static void test_what_is_no_tensor(void **state)
{
    (void)state;
    char text[8] = "before";
    assert_int_equal(sp_to_string(NULL, text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_error(SP_ERROR_NULL, "sp_to_string");
    assert_int_equal(sp_print(NULL), SP_ERROR_NULL);
    assert_error(SP_ERROR_NULL, "sp_print");
    assert_int_equal(sp_print(SP_NONE), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "SP_NONE");
    assert_int_equal(sp_print((sp_tensor *)sp_nn_relu()), SP_ERROR_ARGUMENT);
    assert_error(SP_ERROR_ARGUMENT, "argument 'x' is a module");
}

static bool print_a_tensor(void *context)
{
    return print_into(context, sp_vector(1, 2, 3)) == SP_OK;
}

static void test_printing_without_memory(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", support_path("out"));
    assert_true(support_fail_each_allocation(print_a_tensor, path) >= 3);
}

static void test_a_full_disk_is_an_error(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK)) skip_because("there is no /dev/full");
    assert_int_equal(print_into("/dev/full", sp_vector(1, 2, 3)), SP_ERROR_IO);
    assert_error(SP_ERROR_IO, "sp_print: standard output");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        sp_test(test_every_case_is_pytorchs_text), sp_test(test_a_small_buffer_gets_the_beginning),
        sp_test(test_print_writes_a_line),         sp_test(test_what_is_no_tensor),
        sp_test(test_printing_without_memory),     sp_test(test_a_full_disk_is_an_error),
    };
    return sp_test_main(tests);
}
