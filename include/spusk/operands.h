/* Calls that have a twin for a number look at their operands: a number where a tensor belongs is then an error of the
 * compiler, and its text names the twin. C++ has this error by itself.
 *
 * `&*(x)` is x, with x's type, and only a pointer has it. sp_keep gives a `void *`, about which gcc would warn here;
 * hence the pragma, for in a system's header a compiler reports errors alone. */
#ifndef SPUSK_OPERANDS_H
#define SPUSK_OPERANDS_H

#ifndef __cplusplus
#if defined(__GNUC__)
#pragma GCC system_header
#endif
#define SP__POINTER(x) (&*(x))
#endif

#endif
