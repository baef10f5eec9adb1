// spusk for C++17: values that own, exceptions, operators. All of C's calls are there as they are, and take these
// values.
//
//     spusk::tensor x = {1, 2, 3};
//     spusk::tensor y = sp_relu(2 * x - 3);
//
// Ownership. A value (tensor, list, module, optimizer, loader …) made from what a call returned takes it out of its
// scope and holds it; copies share it, and the last one gives it up. What a call makes on its way, and what no value
// takes, belongs to the open scope, as in C: each turn of `for (auto batch : loader)` is one, and `spusk::scope`
// another.
//
// Errors. A value made of a call that failed throws spusk::error with its first cause; so does check(status). The
// handler of errors reports it first, if there is one: `spusk::quiet` silences this thread's while it lives.
#ifndef SPUSK_HPP
#define SPUSK_HPP

#include <spusk/extend/errors.h>
#include <spusk/extend/object.h>
#include <spusk/spusk.h>

#include <cmath>
#include <initializer_list>
#include <ostream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace spusk {

// ---- errors ----

// A first cause: its message is what(), its kind status().
class error : public std::runtime_error {
  public:
    error(sp_status status, const char *message) : std::runtime_error(message), status_(status)
    {
    }
    sp_status status() const noexcept
    {
        return status_;
    }

  private:
    sp_status status_;
};

// Throws the pending first cause, which is read then.
[[noreturn]] inline void raise()
{
    const std::string message = sp_error_message();
    const sp_status status = sp_error_clear();
    throw error(status ? status : SP_ERROR_STATE, status ? message.c_str() : "a call failed without a cause");
}

// Throws unless a call succeeded: check(sp_save_state(model, "model.safetensors")).
inline void check(sp_status status)
{
    if (status != SP_OK) raise();
}

// While it lives, this thread's errors are not reported to the handler: exceptions tell them.
class quiet {
  public:
    quiet() : before_(sp_error_quiet(true))
    {
    }
    ~quiet()
    {
        sp_error_quiet(before_);
    }
    quiet(const quiet &) = delete;
    quiet &operator=(const quiet &) = delete;

  private:
    bool before_;
};

// ---- scopes ----

// Owns what calls make while it lives and no value takes; closes in any way out of its block.
class scope {
  public:
    scope() : scope(sp_scope_open())
    {
    }
    ~scope()
    {
        sp_scope_close(&scope_);
    }
    scope(const scope &) = delete;
    scope &operator=(const scope &) = delete;

  protected:
    explicit scope(sp_scope open) : scope_(open)
    {
    }

  private:
    sp_scope scope_;
};

// No gradients are recorded; they are, even within no_grad; mixed precision.
struct no_grad : scope {
    no_grad() : scope(sp_scope_open_no_grad())
    {
    }
};
struct enable_grad : scope {
    enable_grad() : scope(sp_scope_open_grad())
    {
    }
};
struct autocast : scope {
    explicit autocast(sp_dtype dtype = SP_BF16) : scope(sp_scope_open_autocast(dtype))
    {
    }
};

// ---- options ----

// An option struct with its size, for any call: sp_nn_conv2d(1, 8, 3, with<sp_nn_conv2d_options>([](auto &o) {
// o.padding = 1; })).
template <class Options> class with {
  public:
    template <class Set> explicit with(Set &&set)
    {
        options_.size = sizeof options_;
        set(options_);
    }
    operator const Options *() const noexcept
    {
        return &options_;
    }

  private:
    Options options_ = {};
};

// ---- values ----

// Holds one of the library's objects; an empty one holds none. Converts to the pointer that C's calls take.
template <class T> class handle {
  public:
    handle() = default;
    // Takes what a call returned out of its scope; throws the first cause of a NULL.
    handle(T *made) : object_(static_cast<T *>(sp_keep(made))) // NOLINT(google-explicit-constructor)
    {
        if (!object_) raise();
    }
    handle(const handle &other) : object_(static_cast<T *>(sp_retain(other.object_)))
    {
    }
    handle(handle &&other) noexcept : object_(std::exchange(other.object_, nullptr))
    {
    }
    handle &operator=(handle other) noexcept
    {
        std::swap(object_, other.object_);
        return *this;
    }
    ~handle()
    {
        sp_drop(object_);
    }

    T *get() const noexcept
    {
        return object_;
    }
    operator T *() const noexcept
    {
        return object_;
    } // NOLINT(google-explicit-constructor)

  private:
    T *object_ = nullptr;
};

class tensor : public handle<sp_tensor> {
  public:
    using handle::handle;
    tensor() = default;
    // A 1-d f32 tensor of these numbers.
    tensor(std::initializer_list<double> values)
        : handle((sp_vector)(values.begin(), static_cast<int64_t>(values.size())))
    {
    }

    int dim() const
    {
        return sp_ndim(get());
    }
    int64_t numel() const
    {
        return sp_numel(get());
    }
    int64_t size(int dim) const
    {
        const int64_t n = sp_size(get(), dim);
        if (sp_error_status()) raise();
        return n;
    }
    std::vector<int64_t> sizes() const
    {
        const sp_dims dims = sp_sizes(get());
        return std::vector<int64_t>(dims.data, dims.data + dims.n);
    }
    sp_dtype dtype() const
    {
        return sp_dtype_of(get());
    }

    // The value of a tensor with one element.
    double item() const
    {
        const double value = sp_item(get());
        if (std::isnan(value) && sp_error_status()) raise();
        return value;
    }
    tensor view(std::initializer_list<int64_t> dims) const
    {
        return (sp_view)(get(), sp_dims{dims.begin(), static_cast<int>(dims.size())});
    }

    const tensor &requires_grad() const
    {
        if (!sp_requires_grad(get())) raise();
        return *this;
    }
    void backward() const
    {
        check(sp_backward(get()));
    }
    // Throws where there is none.
    tensor grad() const
    {
        sp_tensor *grad = sp_grad(get());
        if (grad == SP_NONE) throw error(SP_ERROR_STATE, "the tensor has no gradient: call backward() first");
        return grad;
    }
};

// Rows of numbers of one length, as a 2-d f32 tensor.
inline tensor matrix(std::initializer_list<std::initializer_list<double>> rows)
{
    std::vector<double> values;
    const size_t columns = rows.size() ? rows.begin()->size() : 0;
    for (const auto &row : rows) {
        if (row.size() != columns) throw error(SP_ERROR_SHAPE, "matrix: the rows are not of one length");
        values.insert(values.end(), row.begin(), row.end());
    }
    return (sp_matrix)(static_cast<int64_t>(rows.size()), static_cast<int64_t>(columns), values.data(),
                       static_cast<int64_t>(values.size()));
}

// What a call of C writes as snprintf does, whole.
template <class T> std::string text_of(size_t (*write)(const T *, char *, size_t), const T *object)
{
    std::string text(write(object, nullptr, 0) + 1, '\0');
    if (sp_error_status()) raise();
    write(object, &text[0], text.size());
    text.pop_back();
    return text;
}

inline std::ostream &operator<<(std::ostream &out, const tensor &x)
{
    return out << text_of<sp_tensor>(sp_to_string, x);
}

// ---- operators: with tensors, and with numbers, where C++'s integers and doubles are Python's int and float ----

template <class N> using if_integer = std::enable_if_t<std::is_integral<N>::value, int>;
template <class N> using if_floating = std::enable_if_t<std::is_floating_point<N>::value, int>;
template <class N> using if_number = std::enable_if_t<std::is_arithmetic<N>::value, int>;

#define SPUSK__OPERATOR(op, name)                                                                                      \
    inline tensor operator op(const tensor &a, const tensor &b)                                                        \
    {                                                                                                                  \
        return (sp_##name)(a, b);                                                                                      \
    }                                                                                                                  \
    template <class N, if_integer<N> = 0> tensor operator op(const tensor &x, N n)                                     \
    {                                                                                                                  \
        return sp_##name##_int(x, n);                                                                                  \
    }                                                                                                                  \
    template <class N, if_floating<N> = 0> tensor operator op(const tensor &x, N n)                                    \
    {                                                                                                                  \
        return sp_##name##_scalar(x, static_cast<double>(n));                                                          \
    }                                                                                                                  \
    inline tensor &operator op##=(tensor &x, const tensor &y)                                                          \
    {                                                                                                                  \
        if (!(sp_##name##_)(x, y)) raise();                                                                            \
        return x;                                                                                                      \
    }                                                                                                                  \
    template <class N, if_integer<N> = 0> tensor &operator op##=(tensor &x, N n)                                       \
    {                                                                                                                  \
        if (!sp_##name##_int_(x, n)) raise();                                                                          \
        return x;                                                                                                      \
    }                                                                                                                  \
    template <class N, if_floating<N> = 0> tensor &operator op##=(tensor &x, N n)                                      \
    {                                                                                                                  \
        if (!sp_##name##_scalar_(x, static_cast<double>(n))) raise();                                                  \
        return x;                                                                                                      \
    }
SPUSK__OPERATOR(+, add)
SPUSK__OPERATOR(-, sub)
SPUSK__OPERATOR(*, mul)
SPUSK__OPERATOR(/, div)
#undef SPUSK__OPERATOR

inline tensor operator-(const tensor &x)
{
    return sp_neg(x);
}
template <class N, if_number<N> = 0> tensor operator+(N n, const tensor &x)
{
    return x + n;
}
template <class N, if_integer<N> = 0> tensor operator-(N n, const tensor &x)
{
    return sp_rsub_int(x, n);
}
template <class N, if_floating<N> = 0> tensor operator-(N n, const tensor &x)
{
    return sp_rsub_scalar(x, static_cast<double>(n));
}
template <class N, if_number<N> = 0> tensor operator*(N n, const tensor &x)
{
    return x * n;
}
template <class N, if_number<N> = 0> tensor operator/(N n, const tensor &x)
{
    return n * tensor(sp_reciprocal(x));
}

// Tensors are compared by name, element by element (sp_eq, sp_lt …) or whole (sp_equal, sp_allclose).
bool operator==(const tensor &a, const tensor &b) = delete;
bool operator!=(const tensor &a, const tensor &b) = delete;
bool operator<(const tensor &a, const tensor &b) = delete;
bool operator>(const tensor &a, const tensor &b) = delete;
bool operator<=(const tensor &a, const tensor &b) = delete;
bool operator>=(const tensor &a, const tensor &b) = delete;

// ---- lists ----

class list : public handle<sp_list> {
  public:
    using handle::handle;
    list(std::initializer_list<tensor> tensors) : handle((sp_list_new)(nullptr, 0))
    {
        for (const tensor &x : tensors) check(sp_list_append(get(), x));
    }
    int64_t size() const
    {
        return sp_list_length(get());
    }
    tensor operator[](int64_t i) const
    {
        return sp_list_get(get(), i);
    }
};

// ---- modules, optimisers ----

class module : public handle<sp_module> {
  public:
    using handle::handle;
    template <class... T> tensor operator()(const T &...inputs) const
    {
        return sp_forward(get(), inputs...);
    }
    list parameters() const
    {
        return sp_parameters(get());
    }
    void train() const
    {
        check(sp_train(get()));
    }
    void eval() const
    {
        check(sp_eval(get()));
    }
    void save(const std::string &path) const
    {
        check(sp_save_state(get(), path.c_str()));
    }
    void load(const std::string &path) const
    {
        check(sp_load_state(get(), path.c_str()));
    }
};

// The modules one after another: sequential{sp_nn_linear(784, 10), sp_nn_log_softmax(1)}.
class sequential : public module {
  public:
    sequential(std::initializer_list<module> modules) : module(made(modules))
    {
    }

  private:
    static sp_module *made(std::initializer_list<module> modules)
    {
        std::vector<sp_module *> all(modules.begin(), modules.end());
        all.push_back(sp_last_module_);
        return sp_nn_sequential_until(all.data());
    }
};

inline std::ostream &operator<<(std::ostream &out, const module &m)
{
    return out << text_of<sp_module>(sp_module_to_string, m);
}

class optimizer : public handle<sp_optimizer> {
  public:
    using handle::handle;
    void zero_grad() const
    {
        check(sp_zero_grad(get()));
    }
    void step() const
    {
        check(sp_step(get()));
    }
    double lr(int group = 0) const
    {
        return sp_lr(get(), group);
    }
};

class scheduler : public handle<sp_scheduler> {
  public:
    using handle::handle;
    void step() const
    {
        check(sp_scheduler_step(get()));
    }
};

// ---- data ----

using dataset = handle<sp_dataset>;
using transform = handle<sp_transform>;

struct batch {
    tensor x, y;
    int64_t index;
};

// for (auto batch : loader) { … }: each turn is a scope; a loader that fails throws its cause.
class loader : public handle<sp_loader> {
  public:
    using handle::handle;
    int64_t length() const
    {
        return sp_loader_length(get());
    }
    void set_epoch(int64_t epoch) const
    {
        check(sp_loader_set_epoch(get(), epoch));
    }

    struct end_of_epoch {};
    class iterator {
      public:
        explicit iterator(sp_loader *loader) : batch_(sp_batch_first(loader))
        {
        }
        ~iterator()
        {
            sp_batch_end(&batch_);
        }
        iterator(const iterator &) = delete;
        iterator &operator=(const iterator &) = delete;
        batch operator*() const
        {
            return {batch_.x, batch_.y, batch_.index};
        }
        iterator &operator++()
        {
            sp_batch_next(&batch_);
            return *this;
        }
        bool operator!=(end_of_epoch) const
        {
            if (!batch_.x && sp_error_status()) raise();
            return batch_.x != nullptr;
        }

      private:
        sp_batch batch_;
    };
    iterator begin() const
    {
        return iterator(get());
    }
    end_of_epoch end() const
    {
        return {};
    }
};

} // namespace spusk

#endif
