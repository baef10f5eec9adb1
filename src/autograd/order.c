/* The order of a backward pass: reverse postorder of a depth-first walk that follows edges in order, so that every node
 * runs after all that send it gradients.
 *
 * What a pass knows of a node is in the pass's own tables, never in the node: graphs of several threads meet in the
 * leaves of the model that they share. */
#include "autograd/engine.h"
#include <string.h>

enum { FIRST_PLACES = 128 };

typedef struct frame {
    sp__node *node;
    int next_edge;
} frame;

/* Room for n items more. */
static void *push(sp__vector *v, size_t n, size_t size)
{
    if (sp_reserve(&v->items, &v->capacity, v->n + n, size)) return NULL;
    v->n += n;
    return (char *)v->items + (v->n - n) * size;
}

static void free_vector(sp__vector *v, size_t size)
{
    sp_free(v->items, v->capacity * size);
    *v = (sp__vector){0};
}

/* ---- from nodes to entries: open addressing, at most half full; a place holds an entry's number plus 1 ---- */

static size_t place_of(const sp__run *r, const sp__node *node)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)node / 64 * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(mixed >> 32) & (r->n_places - 1);
    while (r->places[at] && sp__entry_at(r, r->places[at] - 1)->node != node) at = (at + 1) & (r->n_places - 1);
    return at;
}

sp__entry *sp__entry_of(const sp__run *r, const sp__node *node)
{
    const uint32_t number = r->places[place_of(r, node)];
    return number ? sp__entry_at(r, number - 1) : NULL;
}

static sp_status make_places(sp__run *r, size_t n)
{
    uint32_t *places = sp_alloc(n * sizeof *places);
    if (!places) return sp_error_status();
    sp_free(r->places, r->n_places * sizeof *places);
    r->places = places;
    r->n_places = n;
    for (size_t i = 0; i < r->entries.n; i++) places[place_of(r, sp__entry_at(r, i)->node)] = (uint32_t)i + 1;
    return SP_OK;
}

/* ---- the walk ---- */

bool sp__is_target(const sp__run *r, const sp__node *node)
{
    for (int64_t i = 0; i < r->n_inputs; i++)
        if (r->targets[i].node == node) return true;
    return false;
}

static int edges_of(const sp__node *node)
{
    return node->leaf ? 0 : node->n_inputs;
}

/* Notes where a node's edges lead: all that is there is done. */
static sp_status follow_edges(sp__run *r, sp__entry *e)
{
    const int n = edges_of(e->node);
    e->first_edge = r->edges.n;
    e->wanted = !r->inputs || sp__is_target(r, e->node);
    uint32_t *numbers = n ? push(&r->edges, (size_t)n, sizeof *numbers) : NULL;
    if (n && !numbers) return sp_error_status();
    for (int i = 0; i < n; i++) {
        const sp__node *next = e->node->edges[i].node;
        numbers[i] = next ? r->places[place_of(r, next)] : 0;
        e->wanted |= next && sp__entry_at(r, numbers[i] - 1)->wanted;
    }
    return SP_OK;
}

/* A node whose edges are all done takes the next number. */
static sp_status finish_node(sp__run *r, sp__node *node)
{
    if (2 * (r->entries.n + 1) > r->n_places && make_places(r, 2 * r->n_places)) return sp_error_status();
    sp__entry *e = push(&r->entries, 1, sizeof *e);
    if (!e) return sp_error_status();
    *e = (sp__entry){.node = node, .first_slot = r->n_slots};
    r->places[place_of(r, node)] = (uint32_t)r->entries.n;
    r->n_slots += (size_t)node->n_outputs;
    return follow_edges(r, e);
}

static sp_status enter(sp__run *r, sp__node *node)
{
    frame *f = push(&r->stack, 1, sizeof *f);
    if (!f) return sp_error_status();
    *f = (frame){node, 0};
    return SP_OK;
}

/* The graph has no cycles, so a node that is not done is not on the stack either. */
static sp_status walk(sp__run *r, sp__node *root)
{
    if (!root || sp__entry_of(r, root)) return SP_OK;
    sp_status status = enter(r, root);
    while (!status && r->stack.n) {
        frame *top = (frame *)r->stack.items + r->stack.n - 1;
        sp__node *node = top->node, *next = NULL;
        while (top->next_edge < edges_of(node) && !next) {
            next = node->edges[top->next_edge++].node;
            if (next && sp__entry_of(r, next)) next = NULL;
        }
        if (next) {
            status = enter(r, next);
        } else {
            r->stack.n--;
            status = finish_node(r, node);
        }
    }
    return status;
}

/* A root is read by the caller, who gives it a gradient. */
static void count_readers(sp__run *r, const sp__edge *roots, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (roots[i].node) sp__entry_of(r, roots[i].node)->readers++;
    const uint32_t *numbers = r->edges.items;
    for (size_t i = 0; i < r->edges.n; i++)
        if (numbers[i]) sp__entry_at(r, numbers[i] - 1)->readers++;
}

sp_status sp__find_order(sp__run *r, const sp__edge *roots, int64_t n)
{
    sp_status status = make_places(r, FIRST_PLACES);
    for (int64_t i = n; i-- > 0 && !status;) status = walk(r, roots[i].node);
    if (!status) count_readers(r, roots, n);
    return status;
}

void sp__drop_order(sp__run *r)
{
    free_vector(&r->entries, sizeof(sp__entry));
    free_vector(&r->edges, sizeof(uint32_t));
    free_vector(&r->stack, sizeof(frame));
    sp_free(r->places, r->n_places * sizeof *r->places);
}
