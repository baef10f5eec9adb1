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

/* In the order in which one learns them. */
/* clang-format off */
#include <spusk/status.h>     /* errors: codes, the first cause, the handler */
#include <spusk/scope.h>      /* who owns what: SP_SCOPE, SP_NO_GRAD, SP_AUTOCAST, sp_keep, sp_finish */
#include <spusk/dtype.h>      /* element types and devices */

#include <spusk/tensor.h>     /* tensors: made, asked, read, written, copied, printed; lists of them */
#include <spusk/views.h>      /* the same memory in another shape: view, permute, slice, expand, split */
#include <spusk/indexing.h>   /* gather, scatter, masks, where, one-hot; cat and stack */
#include <spusk/pointwise.h>  /* element by element: arithmetic, comparisons, changes in place */
#include <spusk/reductions.h> /* sum, mean, var, norm, max, argmax and the rest */
#include <spusk/linalg.h>     /* products of matrices, eigenvectors, principal components */
#include <spusk/generator.h>  /* seeds and streams of random numbers */
#include <spusk/random.h>     /* random tensors */

#include <spusk/autograd.h>   /* gradients: requires_grad, backward, hooks, gradcheck */
#include <spusk/functional.h> /* torch.nn.functional: activations, convolution, pooling, losses and the rest */
#include <spusk/module.h>     /* modules: of one's own, used, their parameters and state */
#include <spusk/nn.h>         /* torch.nn: containers, layers, losses as modules, initialisation */
#include <spusk/optim.h>      /* optimisers, learning rate schedules, clipping */
#include <spusk/surfaces.h>   /* functions of two numbers to compare optimisers on */

#include <spusk/data.h>       /* data sets, transforms, loaders */
#include <spusk/io.h>         /* files: safetensors, networks, pictures */
#include <spusk/train.h>      /* reference networks, recipes, checkpoints, autoencoders and their codes */
#include <spusk/plot.h>       /* charts, grids of images, movies */

#include <spusk/threads.h>    /* the threads that kernels run on */
#include <spusk/machine.h>    /* the kernels that the machine runs, and its peak */
#include <spusk/memory.h>     /* the allocator, and how much memory is in use */
/* clang-format on */

#endif
