// spusk.hpp: values own what they hold, errors are exceptions, operators do what their calls do.
#include <spusk/spusk.hpp>

#include <cstdio>
#include <sstream>

using namespace spusk;

static int failures;

static void expect(bool right, const char *what)
{
    if (!right) std::printf("# not right: %s\n", what);
    failures += !right;
}

static bool equals(const tensor &x, std::initializer_list<double> values)
{
    scope inside;
    return sp_equal(sp_cast(x, SP_F64), sp_cast(tensor(values), SP_F64));
}

template <class F> static bool throws(sp_status status, const char *words, F f)
{
    try {
        f();
    } catch (const error &e) {
        return e.status() == status && std::string(e.what()).find(words) != std::string::npos && !sp_error_status();
    }
    return false;
}

static void test_operators()
{
    tensor x = {1, 2, 4}, y = {2, 2, 2};
    expect(equals(x + y, {3, 4, 6}) && equals(x - y, {-1, 0, 2}) && equals(x * y, {2, 4, 8}), "tensors");
    expect(equals(x / y, {0.5, 1, 2}) && equals(-x, {-1, -2, -4}), "quotients, signs");
    expect(equals(x + 1, {2, 3, 5}) && equals(x - 0.5, {0.5, 1.5, 3.5}) && equals(x * 2.0f, {2, 4, 8}), "numbers");
    expect(equals(1 + x, {2, 3, 5}) && equals(1 - x, {0, -1, -3}) && equals(0.5 * x, {0.5, 1, 2}), "numbers first");
    expect(equals(4 / x, {4, 2, 1}) && equals(x / 2, {0.5, 1, 2}), "quotients with numbers");
    tensor whole = sp_vector_i64(1, 2, 3);
    expect((whole + 1).dtype() == SP_I64 && (whole + 1.0).dtype() == SP_F32 && (3 - whole).dtype() == SP_I64,
           "integers stay integers");
    x += y;
    x *= 2;
    x -= 1.0;
    x /= 5;
    expect(equals(sp_round(x * 10), {10, 14, 22}), "in place");
    whole += 1;
    expect(equals(whole, {2, 3, 4}), "integers in place");
}

static void test_gradients()
{
    tensor x = {1, 2, 3};
    x.requires_grad();
    tensor z = sp_sum(x * x);
    z.backward();
    expect(equals(x.grad(), {2, 4, 6}) && z.item() == 14, "gradients");
    expect(throws(SP_ERROR_STATE, "no gradient", [] { tensor({1, 2}).grad(); }), "no gradient");
    no_grad quick;
    expect(!sp_needs_grad(x * x), "no_grad");
}

static void test_errors()
{
    tensor x = {1, 2, 3};
    expect(throws(SP_ERROR_SHAPE, "[3]", [&] { x + tensor({1, 2}); }), "shapes");
    expect(throws(SP_ERROR_SHAPE, "one length", [] { matrix({{1, 2}, {3}}); }), "rows");
    expect(throws(SP_ERROR_SHAPE, "5", [&] { x.size(5); }), "dimensions");
    expect(throws(SP_ERROR_NOT_FOUND, "nowhere", [] { module(sp_nn_linear(1, 1)).load("nowhere.safetensors"); }), "files");
    expect(throws(SP_ERROR_NULL, "", [] { tensor y = sp_relu(tensor()); }), "an empty value");
    expect(equals(x, {1, 2, 3}), "nothing changed");
}

static void test_ownership()
{
    const int64_t before = sp_memory().live_count;
    {
        tensor kept;
        {
            scope inside;
            tensor x = {1, 2, 3};
            kept = x + 1;
            tensor copy = kept, moved = std::move(copy);
            sp_exp(x); // nobody takes it: it goes with the scope
        }
        expect(equals(kept, {2, 3, 4}), "a value outlives its scope");
        try {
            scope inside;
            tensor x = kept * 2;
            x + tensor({1, 2});
        } catch (const error &) {
        }
        list both = {kept, kept};
        expect(both.size() == 2 && equals(both[-1], {2, 3, 4}), "lists");
    }
    expect(sp_memory().live_count == before, "values give up what they hold");
    const int64_t steady = sp_memory().live_count;
    for (int i = 0; i < 100; i++) {
        scope turn;
        tensor x = {1, 2, 3};
        x = x * x + x;
    }
    expect(sp_memory().live_count == steady, "a loop does not grow");
}

static void test_training()
{
    sp_manual_seed(0);
    tensor x = sp_randn(SP_DIMS(32, 3)), y = sp_sum_dim(x, 1);
    loader data = sp_data_loader(sp_data_tensors(x, y), with<sp_loader_options>([](auto &o) { o.batch_size = 8; }));
    sequential model{sp_nn_linear(3, 16), sp_nn_relu(), sp_nn_linear(16, 1)};
    optimizer sgd = sp_optim_sgd(model.parameters(), with<sp_optim_options>([](auto &o) { o.lr = 0.05; }));
    double first = 0, last = 0;
    for (int epoch = 0; epoch < 30; epoch++) {
        last = 0;
        for (auto batch : data) {
            sgd.zero_grad();
            tensor loss = sp_mse_loss(model(batch.x).view({-1}), batch.y);
            loss.backward();
            sgd.step();
            last += loss.item();
        }
        if (epoch == 0) first = last;
    }
    expect(last < first / 10 && sgd.lr() == 0.05, "a network learns");
    int turns = 0;
    try {
        for (auto batch : data)
            if (++turns == 2) throw error(SP_ERROR_STATE, "enough");
    } catch (const error &) {
    }
    for (auto batch : data) turns += static_cast<int>(batch.x.size(0));
    expect(turns == 2 + 32, "a loop that is left by an exception can begin anew");
}

static sp_example no_example(void *, int64_t i)
{
    if (i < 2) return {sp_scalar(1), sp_scalar(1)};
    sp_raise(SP_ERROR_IO, "example %d is gone", static_cast<int>(i));
    return {nullptr, nullptr};
}

static int64_t four(void *)
{
    return 4;
}

static void test_texts_and_loaders()
{
    std::ostringstream text;
    text << tensor({1, 2}) << ' ' << module(sp_nn_relu());
    expect(text.str() == "tensor([1., 2.]) ReLU()", "texts");
    sp_dataset_class type = {};
    type.size = sizeof type;
    type.length = four;
    type.get = no_example;
    loader broken = sp_data_loader(sp_data_new(&type, nullptr));
    int turns = 0;
    expect(throws(SP_ERROR_IO, "example 2 is gone", [&] { for (auto batch : broken) turns++; }) && turns == 2, "loaders");
}

int main()
{
    quiet here;
    test_operators();
    test_gradients();
    test_errors();
    test_ownership();
    test_training();
    test_texts_and_loaders();
    return sp_finish() || failures;
}
