/* The CPU as a backend: its memory and its table. */
#include "backends/cpu/cpu.h"

static void *cpu_alloc(size_t bytes)
{
    return sp__alloc_raw(bytes);
}

static void cpu_free(void *buffer, size_t bytes)
{
    sp_free(buffer, bytes);
}

static sp_status cpu_copy_in(void *buffer, size_t offset, const void *from, size_t bytes)
{
    if (bytes) memcpy((char *)buffer + offset, from, bytes);
    return SP_OK;
}

static sp_status cpu_copy_out(const void *buffer, size_t offset, void *to, size_t bytes)
{
    if (bytes) memcpy(to, (const char *)buffer + offset, bytes);
    return SP_OK;
}

static sp_status cpu_wait(void)
{
    return SP_OK;
}

static void *cpu_host(void *buffer)
{
    return buffer;
}

const sp__backend sp__cpu_backend = {
    .name = "cpu",
    .alloc = cpu_alloc,
    .free = cpu_free,
    .copy_in = cpu_copy_in,
    .copy_out = cpu_copy_out,
    .wait = cpu_wait,
    .host = cpu_host,
    .map = sp__cpu_map,
    .reduce = sp__cpu_reduce,
    .rows = sp__cpu_rows,
    .gemm = sp__cpu_gemm,
    .attention = sp__cpu_attention,
    .conv = sp__cpu_conv,
    .conv_takes = sp__cpu_conv_takes,
    .index = sp__cpu_index,
    .pool = sp__cpu_pool,
    .resample = sp__cpu_resample,
    .norm = sp__cpu_norm,
    .norm_takes = sp__cpu_norm_takes,
    .fill = sp__cpu_fill,
    .nll = sp__cpu_nll,
    .update = sp__cpu_update,
    .eigh = sp__cpu_eigh,
};
