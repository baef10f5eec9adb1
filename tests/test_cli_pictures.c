/* What `spusk train` draws: the digits that the network has wrong come first, framed. */
#include "support/support.h"
#include <math.h>
#include <spusk/spusk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 12, SHOWN = 60, CELL_WIDTH = 102, CELL_HEIGHT = 122, FRAME = 7 };

/* The accuracy on the validation half after an epoch of synthetic digits. */
static double train(int64_t examples)
{
    char command[1200], line[512] = "";
    snprintf(command, sizeof command,
             "%s/spusk train --dataset synthetic --limit %d --epochs 1 --no-progress --json --out '%s'", SP_BUILD_DIR,
             (int)examples, support_folder());
    FILE *output = popen(command, "r");
    assert_non_null(output);
    assert_non_null(fgets(line, sizeof line, output));
    assert_int_equal(pclose(output), 0);
    const char *accuracy = strstr(line, "\"val_accuracy\":");
    return accuracy ? strtod(accuracy + strlen("\"val_accuracy\":"), NULL) : (double)NAN;
}

static bool framed(sp_tensor *picture, int cell)
{
    const int64_t y = cell / COLUMNS * CELL_HEIGHT + FRAME, x = cell % COLUMNS * CELL_WIDTH + FRAME;
    sp_tensor *colour = sp_select(sp_select(picture, 1, y), 1, x);
    return sp_item_i64(sp_select(colour, 0, 0)) == 214 && sp_item_i64(sp_select(colour, 0, 1)) == 39;
}

static void check(int64_t examples)
{
    const int64_t digits = (examples + 5) / 6;
    const int wrong = (int)lround((1 - train(examples)) * (double)digits);
    sp_tensor *picture = sp_load_png(support_path("predictions.png"), 3);
    const int shown = digits < SHOWN ? (int)digits : SHOWN;
    assert_int_equal(sp_size(picture, 1), (shown + COLUMNS - 1) / COLUMNS * CELL_HEIGHT);
    for (int i = 0; i < shown; i++) assert_int_equal(framed(picture, i), i < wrong);
}

static void test_wrong_digits_come_first(void **state)
{
    (void)state;
    check(6 * 200); /* more wrong ones than fit, or nearly */
    check(6 * 24);  /* fewer digits than fit */
}

int main(void)
{
    const struct CMUnitTest tests[] = {sp_test(test_wrong_digits_come_first)};
    return sp_test_main(tests);
}
