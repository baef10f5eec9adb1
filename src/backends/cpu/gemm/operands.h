/* The operands of a product, and of the transposed one. */

static inline element *at(const sp__matrix *m, int64_t row, int64_t column)
{
    return (element *)m->buffer + m->offset + row * m->row + column * m->column;
}

/* The bias of n rows or columns from the i-th on, side by side; NULL where there is none. */
static inline const number *bias_at(const sp__operand *bias, int64_t i, int64_t n, int64_t room, number *copy)
{
    if (!bias) return NULL;
    const element *from = (const element *)bias->buffer + bias->offset + i * bias->strides[0];
    if (!APART && bias->strides[0] == 1 && n >= room) return (const number *)(const void *)from;
    for (int64_t j = 0; j < room; j++) copy[j] = j < n ? number_of(from[j * bias->strides[0]]) : 0;
    return copy;
}

/* cᵀ = bᵀ×aᵀ */
static inline sp__gemm turned(const sp__gemm *g)
{
    sp__gemm t = *g;
    t.m = g->n, t.n = g->m;
    t.a = (sp__matrix){g->b.buffer, g->b.offset, g->b.column, g->b.row, g->b.batch};
    t.b = (sp__matrix){g->a.buffer, g->a.offset, g->a.column, g->a.row, g->a.batch};
    t.c = (sp__matrix){g->c.buffer, g->c.offset, g->c.column, g->c.row, g->c.batch};
    return t;
}

/* Strides over a single row or column say nothing: taken for what suits best. */
static inline void settle(sp__gemm *g)
{
    if (g->n == 1) g->b.column = g->c.column = 1;
    if (g->m == 1) g->a.row = 1;
}
