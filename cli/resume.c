/* Which run a checkpoint belongs to. Its metadata hold the run's options, so another run neither continues from it by
 * mistake nor writes over it. */
#include "train.h"

#include <spusk/extend.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { N_FACTS = 13, FACT_SIZE = 256 };

/* An option that a run cannot change on its way, and its value. */
typedef struct fact {
    const char *option;
    char value[FACT_SIZE];
} fact;

#define FACT(option, ...)                                                                                              \
    do {                                                                                                               \
        facts[n] = (fact){option, ""};                                                                                 \
        snprintf(facts[n++].value, FACT_SIZE, __VA_ARGS__);                                                            \
    } while (0)

static void list_facts(const train_options *o, fact facts[N_FACTS])
{
    const sp_recipe *r = &o->recipe;
    int n = 0;
    FACT("recipe", "%s", r->name);
    FACT("model", "%s", r->model);
    FACT("loss", "%s", o->loss ? o->loss : "nll");
    FACT("optimizer", "%s", r->optimizer);
    FACT("lr", "%.10g", r->lr);
    FACT("schedule", "%s", r->schedule);
    FACT("epochs", "%lld", (long long)r->epochs);
    FACT("batch-size", "%lld", (long long)r->batch_size);
    FACT("augment", "%s", r->augment);
    FACT("precision", "%s", o->autocast ? "bf16" : "f32");
    FACT("dataset", "%s", o->data.name);
    FACT("limit", "%lld", o->data.limit);
    FACT("seed", "%lld", o->common.seed);
}

/* "spusk.run.lr" */
static void key_of(const char *option, char key[64])
{
    snprintf(key, 64, "spusk.run.%s", option);
}

/* Reads the value of an option from a checkpoint. False when it has none. */
static bool read_fact(const char *path, const char *option, char value[FACT_SIZE])
{
    char key[64];
    key_of(option, key);
    return sp_load_metadata(path, key, value, FACT_SIZE) >= 0;
}

sp_status save_checkpoint(const train_options *o, const session *s, int epoch)
{
    fact facts[N_FACTS];
    char keys[N_FACTS][64], done[24];
    const char *metadata[2 * N_FACTS + 3];
    int n = 0;
    list_facts(o, facts);
    for (int i = 0; i < N_FACTS; i++) {
        key_of(facts[i].option, keys[i]);
        metadata[n++] = keys[i];
        metadata[n++] = facts[i].value;
    }
    snprintf(done, sizeof done, "%d", epoch);
    metadata[n++] = "spusk.run.done";
    metadata[n++] = done;
    metadata[n] = NULL;
    return sp_save_checkpoint_with(s->model, s->optimizer, s->scheduler, epoch, o->checkpoint, metadata);
}

/* ---- going on ---- */

/* A cycle spans all its epochs. Other schedules may go on as long as the user likes. */
static bool fits(const train_options *o, const fact *f, const char *value)
{
    const common *c = &o->common;
    const bool epochs = strcmp(f->option, "epochs") == 0;
    if (strcmp(f->value, value) == 0 || (epochs && strcmp(o->recipe.schedule, "one-cycle") != 0)) return true;
    if (epochs)
        complain(c, "--epochs is %s, but the run of %s is one cycle of %s, which ends there: it can only go on to that",
                 f->value, o->checkpoint, value);
    else
        complain(c, "--%s is '%s', but the run of %s goes on with '%s': say that, or begin anew without --resume",
                 f->option, f->value, o->checkpoint, value);
    return false;
}

/* Files from elsewhere are left alone: what they were trained with cannot be told. */
bool can_resume(const train_options *o)
{
    fact facts[N_FACTS];
    char value[FACT_SIZE];
    list_facts(o, facts);
    for (int i = 0; i < N_FACTS; i++) {
        if (!read_fact(o->checkpoint, facts[i].option, value)) {
            if (sp_error_status() == SP_OK) complain(&o->common, "%s is no checkpoint of spusk train", o->checkpoint);
            return false;
        }
        if (!fits(o, &facts[i], value)) return false;
    }
    return true;
}

/* ---- beginning anew ---- */

/* Reads how many epochs of its run a checkpoint has finished, and how many there were to be. False where it does not
 * tell. */
static bool how_far(const char *path, long long *done, long long *all)
{
    char first[FACT_SIZE], second[FACT_SIZE];
    const bool was = sp_error_quiet(true);
    const bool known = read_fact(path, "done", first) && read_fact(path, "epochs", second);
    sp_error_quiet(was);
    sp_error_clear();
    *done = known ? strtoll(first, NULL, 10) : 0;
    *all = known ? strtoll(second, NULL, 10) : 0;
    return known;
}

bool may_begin(const train_options *o)
{
    const common *c = &o->common;
    struct stat about;
    long long done, all;
    if (o->overwrite || stat(o->checkpoint, &about) != 0 || !S_ISREG(about.st_mode)) return true;
    if (!how_far(o->checkpoint, &done, &all)) {
        complain(c, "%s is there, and does not say which run it is of: --overwrite gives it up", o->checkpoint);
        return false;
    }
    if (done < all) {
        complain(c, "%s is of a run that stopped after epoch %lld of %lld: --resume goes on, --overwrite gives it up",
                 o->checkpoint, done, all);
        return false;
    }
    complain(c, "writing over %s and its checkpoint, of a run that was done", o->weights);
    return true;
}
