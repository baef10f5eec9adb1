/* spusk: deep learning in C. This header includes all others that a program needs.
 *
 * Ownership. Whatever the library makes (tensor, list, module, optimiser, loader, series …) belongs to the scope that
 * was open on the calling thread when it was made, and goes when that scope closes: the root scope closes with
 * sp_finish() or the thread's end. sp_keep takes an object out of its scope, sp_escape hands it one scope up,
 * sp_release gives it up. Objects hold what they need: a module its children, a list its tensors, a graph what its
 * backward reads. A correct program contains no free.
 *
 * Errors. A function that makes an object returns NULL on failure; every function takes NULL and passes it on, so calls
 * nest. An action returns sp_status. The first cause is kept per thread (sp_error_message) and reported once to the
 * handler, which writes a line to standard error unless replaced. NULL never means "none": SP_NONE does.
 *
 * Options are designated initialisers after the arguments: sp_nn_linear(784, 10, .no_bias = true). A field left out
 * means the default; SP_ZERO says a zero where the default is another number. The function of the same name in
 * parentheses takes a pointer to the options, for other languages: NULL for the defaults. An option without its name,
 * an argument left out and a number where an object belongs are errors of the compiler: the last for the whole program,
 * unless it defines SPUSK_KEEP_DIAGNOSTICS before it includes a header. A literal 0 is a null pointer in C.
 *
 * Threads. Any thread may use the library; scopes, grad mode, the default generator and errors are per thread. Many
 * threads may read a tensor or run a model in eval mode under SP_NO_GRAD; one writes. */
#ifndef SPUSK_H
#define SPUSK_H

#include <spusk/autograd.h>
#include <spusk/convolution.h>
#include <spusk/data.h>
#include <spusk/functional.h>
#include <spusk/generator.h>
#include <spusk/io.h>
#include <spusk/machine.h>
#include <spusk/memory.h>
#include <spusk/nn.h>
#include <spusk/optim.h>
#include <spusk/plot.h>
#include <spusk/pointwise.h>
#include <spusk/scope.h>
#include <spusk/status.h>
#include <spusk/surfaces.h>
#include <spusk/tensor.h>
#include <spusk/threads.h>
#include <spusk/train.h>
#include <spusk/views.h>

#endif
