#!/usr/bin/env python3
"""Writes C that says SP_ZERO in every number field of every call with options, from the preprocessed headers on
standard input: the call works, or refuses a zero. tests/test_zero_options.c includes what this prints and looks for the
number that SP_ZERO is made of. Fails on a call that it has no arguments for, so that a new one is not left out.
"""
import re
import sys

from null_calls import functions, is_options
from size_calls import structs

NUMBERS = {"int64_t", "int", "uint64_t", "double"}

# What stands before the options, and options that the call needs beside the one tried.
CALLS = {
    "sp_gradcheck": "a_square, SP_LIST(a_leaf()), NULL", "sp_gradgradcheck": "a_square, SP_LIST(a_leaf()), NULL",
    "sp_conv2d": "images(), kernel(), SP_NONE", "sp_conv_transpose2d": "images(), kernel(), SP_NONE",
    "sp_data_mnist": None, "sp_data_fashion_mnist": None,  # they read neither length nor seed
    "sp_data_synthetic_digits": "", "sp_data_digits": '"synthetic"', "sp_data_loader": "a_dataset()",
    "sp_max_pool2d": "images(), 2", "sp_max_pool2d_with_indices": "images(), 2", "sp_avg_pool2d": "images(), 2",
    "sp_adaptive_avg_pool2d": "images(), 2", "sp_nn_max_pool2d": "2", "sp_nn_avg_pool2d": "2", "sp_nn_adaptive_avg_pool2d": "2",
    "sp_batch_norm": "images(), SP_NONE, SP_NONE, SP_NONE, SP_NONE|.training = true", "sp_layer_norm": "images(), SP_DIMS(6), SP_NONE, SP_NONE",
    "sp_nn_batch_norm1d": "2", "sp_nn_batch_norm2d": "2", "sp_nn_layer_norm": "SP_DIMS(6)",
    "sp_scaled_dot_product_attention": "a_tensor(), a_tensor(), a_tensor()",
    "sp_embedding": "sp_vector_i64(0, 1), a_tensor()", "sp_nn_embedding": "3, 2",
    "sp_pad": "a_tensor(), SP_DIMS(1, 1)", "sp_nn_zero_pad2d": "1", "sp_nn_constant_pad2d": "1, 2.0",
    "sp_nn_reflection_pad2d": "1", "sp_nn_replication_pad2d": "1",
    "sp_interpolate": "images()", "sp_nn_upsample": "", "sp_nn_conv2d": "2, 2, 3", "sp_nn_conv_transpose2d": "2, 2, 3",
    "sp_softplus": "a_tensor()", "sp_leaky_relu": "a_tensor()", "sp_elu": "a_tensor()", "sp_nn_softplus": "", "sp_nn_leaky_relu": "", "sp_nn_elu": "",
    "sp_allclose": "a_tensor(), a_tensor()", "sp_addmm": "a_tensor(), a_tensor(), a_tensor()",
    "sp_flatten": "images()", "sp_nn_flatten": "",
    "sp_batch_scheduler_multi_step": "a_loader(), an_optimizer(), SP_DIMS(1)", "sp_add_param_group": "an_optimizer(), SP_LIST(a_leaf())",
    "sp_lr_scheduler_step_lr": "an_optimizer(), 2", "sp_lr_scheduler_multi_step_lr": "an_optimizer(), SP_DIMS(2)", "sp_lr_scheduler_cosine_annealing_lr": "an_optimizer(), 5",
    "sp_lr_scheduler_linear_lr": "an_optimizer()", "sp_lr_scheduler_one_cycle_lr": "an_optimizer(), 0.1, 10|.keep_momentum = true", "sp_lr_scheduler_reduce_lr_on_plateau": "an_optimizer()",
    "sp_clip_grad_norm_": "SP_LIST(a_leaf()), 1",
    "sp_optim_by_name": '"sgd", SP_LIST(a_leaf())', "sp_autoencoder": "2",
    "sp_plot_lines": "chart(), ((sp_series_list){some_series(), 1})", "sp_plot_line": "chart(), some_series()[0]",
    "sp_plot_scatter": "chart(), a_tensor(), SP_NONE", "sp_plot_scatters": "chart(), a_panel(), 1",
    "sp_plot_contour": "chart(), sp_reshape(sp_arange(0., 4., 1.), 2, 2), some_series(), 1",
    "sp_plot_contour_movie": "movie(), sp_reshape(sp_arange(0., 4., 1.), 2, 2), some_series(), 1|.frames = 2",
    "sp_plot_images": "picture(), sp_ones(SP_DIMS(2, 4, 4))", "sp_movie_new": "movie()",
}
# Families that share their arguments.
for loss in ("mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "kl_div"):
    CALLS["sp_" + loss] = "a_tensor(), a_tensor()"
for loss in ("nll_loss", "cross_entropy"):
    CALLS["sp_" + loss] = "a_tensor(), sp_vector_i64(0, 1)"
    CALLS["sp_%s_weighted" % loss] = "a_tensor(), sp_vector_i64(0, 1), sp_vector(1, 2)"
for init in ("uniform_", "normal_"):
    CALLS["sp_init_" + init] = "a_tensor(), 0., 1."
    CALLS["sp_init_xavier_" + init] = CALLS["sp_init_kaiming_" + init] = "a_tensor()"
for reduction in ("sum", "mean", "var", "std", "norm", "amax", "amin", "prod", "all", "any", "logsumexp", "argmax", "argmin", "max", "min"):
    CALLS["sp_" + reduction] = "a_tensor()"
    CALLS["sp_%s_dim" % reduction] = "a_tensor(), 1"
    CALLS["sp_%s_dims" % reduction] = "a_tensor(), SP_DIMS(1)"

# Where a zero is no value: the field in every call, or in one.
REFUSED = {
    "stride", "stride_hw", "dilation", "dilation_hw", "groups", "kernel_size_hw", "divisor_override", "scale_factor", "scale_factor_hw", "output_size",
    "batch_size", "prefetch", "length", "features", "max_batch_size", "sp_batch_scheduler_multi_step.factor", "sp_lr_scheduler_linear_lr.start_factor", "sp_gradcheck.eps", "sp_gradgradcheck.eps", "sp_batch_norm.eps",
    "sp_lr_scheduler_one_cycle_lr.div_factor", "sp_lr_scheduler_one_cycle_lr.final_div_factor",
    "width", "height", "sp_plot_contour_movie.frames", "sp_plot_contour_movie.fps", "sp_movie_new.fps", "columns", "scale", "point_size", "sp_interpolate.output_size_hw", "sp_nn_upsample.output_size_hw",
}
# And where, of a field that no other call takes it in, this one does.
TAKEN = {"sp_scaled_dot_product_attention.scale"}


def arguments_of(name):
    if name.startswith("sp_optim_") and name not in CALLS:
        return "SP_LIST(a_leaf())"
    if name.startswith("sp_nn_") and name.endswith("_loss"):
        return ""
    if name.startswith("sp_nn_") and name.endswith("_loss_weighted"):
        return "sp_vector(1, 2)"
    if name not in CALLS:
        sys.exit("zero_options.py: no arguments for %s" % name)
    return CALLS[name]


def said_in(field, count, zero):
    """The initialisers that say zero in a field, or in one element of it; a range keeps a second end."""
    if count is None:
        return [".%s = %s" % (field, zero)]
    if field.endswith("_range"):
        return [".%s = {%s, 1}" % (field, zero), ".%s = {-1, %s}" % (field, zero)]
    return [".%s[%d] = %s" % (field, i, zero) for i in range(int(count))]


def main():
    text = sys.stdin.read()
    fields = structs(text)
    n = 0
    for result, name, arguments in functions(text):
        if not arguments or not is_options(arguments[-1][0]):
            continue
        options = re.match(r"const (sp_\w+) \*$", arguments[-1][0]).group(1)
        numbers = [(f, count, kind) for kind, f, count in fields[options] if kind in NUMBERS]
        if not numbers:
            continue
        given = arguments_of(name)
        if given is None:
            continue
        given, _, beside = given.partition("|")
        for field, count, kind in numbers:
            said = said_in(field, count, "(uint64_t)SP_ZERO" if kind == "uint64_t" else "SP_ZERO")
            full = "%s.%s" % (name, field)
            refused = (field in REFUSED or full in REFUSED) and full not in TAKEN
            for one in said:
                print("ZERO(%s, \"%s: %s\", (%s)(%s%s&(const %s){.size = sizeof(%s), %s%s}));" % (
                    "true" if refused else "false", name, one[1:].replace('"', ""), name, given, ", " if given else "", options, options,
                    "" if not beside or beside.startswith(".%s " % field) else beside + ", ", one))
                n += 1
    if n < 300:
        sys.exit("zero_options.py: only %d calls: the headers were not read as they should be" % n)


if __name__ == "__main__":
    main()
