/* Matrix products of every dtype but bool. */
#include "backends/cpu/reference.h"

#define T float
#define C double /* what the fast kernels are measured against */
#define LOAD(p) ((double)*(p))
#define STORE(p, c) (*(p) = (float)(c))
#define SCALE(x) (x)
#define NEGATIVE(x) ((x) < 0)
#define FN(name) name##_f32
#include "reference.inc.h"

#define T double
#define C double
#define LOAD(p) (*(p))
#define STORE(p, c) (*(p) = (c))
#define SCALE(x) (x)
#define NEGATIVE(x) ((x) < 0)
#define FN(name) name##_f64
#include "reference.inc.h"

#define T sp__bf16
#define C float
#define LOAD(p) sp__from_bf16(*(p))
#define STORE(p, c) (*(p) = sp__to_bf16(c))
#define SCALE(x) ((float)(x))
#define NEGATIVE(x) ((x) < 0)
#define FN(name) name##_bf16
#include "reference.inc.h"

#define T int64_t
#define C uint64_t
#define LOAD(p) ((uint64_t) * (p))
#define STORE(p, c) (*(p) = (int64_t)(c))
#define SCALE(x) ((uint64_t)sp__to_i64(x))
#define NEGATIVE(x) ((int64_t)(x) < 0)
#define FN(name) name##_i64
#include "reference.inc.h"

#define T int32_t
#define C uint64_t
#define LOAD(p) ((uint64_t) * (p))
#define STORE(p, c) (*(p) = (int32_t)(c))
#define SCALE(x) ((uint64_t)sp__to_i64(x))
#define NEGATIVE(x) ((int64_t)(x) < 0)
#define FN(name) name##_i32
#include "reference.inc.h"

#define T uint8_t
#define C uint64_t
#define LOAD(p) ((uint64_t) * (p))
#define STORE(p, c) (*(p) = (uint8_t)(c))
#define SCALE(x) ((uint64_t)sp__to_i64(x))
#define NEGATIVE(x) ((int64_t)(x) < 0)
#define FN(name) name##_u8
#include "reference.inc.h"
