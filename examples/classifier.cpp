// A classifier of digits in C++17: the same network and five steps as classifier.c.
//
//     classifier [DATA] [EPOCHS] [EXAMPLES]          DATA as in classifier.c
#include <spusk/spusk.hpp>

#include <cstdlib>
#include <iostream>

using namespace spusk;

static double accuracy(const module &model, const loader &data)
{
    double total = 0, correct = 0;
    no_grad quick;
    for (auto batch : data) {
        tensor res = sp_argmax_dim(model(batch.x.view({-1, 784})), 1);
        total += static_cast<double>(res.size(0));
        correct += sp_item(sp_sum(sp_eq(res, batch.y)));
    }
    return correct / total;
}

static void learn(const char *folder, int epochs, int64_t examples)
{
    auto digits = [&](bool test) {
        return sp_data_digits(folder, with<sp_data_options>([&](auto &o) {
                                  o.test = test, o.length = test ? (examples + 5) / 6 : examples;
                              }));
    };
    auto batches = [](bool shuffle) {
        return with<sp_loader_options>([=](auto &o) { o.batch_size = 64, o.shuffle = shuffle; });
    };
    loader train = sp_data_loader(digits(false), batches(true)), val = sp_data_loader(digits(true), batches(false));

    sequential model{sp_nn_linear(784, 256), sp_nn_relu(),          sp_nn_linear(256, 128),
                     sp_nn_relu(),           sp_nn_linear(128, 10), sp_nn_log_softmax(1)};
    optimizer adam = sp_optim_adam(model.parameters(), with<sp_optim_options>([](auto &o) { o.lr = 1e-3; }));
    module criterion = sp_nn_nll_loss();

    for (int epoch = 0; epoch < epochs; epoch++) {
        for (auto batch : train) {
            tensor X = batch.x.view({-1, 784});
            adam.zero_grad();
            tensor output = model(X);
            tensor loss = criterion(output, batch.y);
            loss.backward();
            adam.step();
        }
        model.eval();
        std::cout << epoch << ' ' << accuracy(model, train) << ' ' << accuracy(model, val) << std::endl;
        model.train();
    }
    model.save("classifier.safetensors");
}

int main(int argc, char **argv)
{
    quiet here; // what goes wrong is told below
    try {
        learn(argc > 1 ? argv[1] : nullptr, argc > 2 ? std::atoi(argv[2]) : 10, argc > 3 ? std::atoll(argv[3]) : 60000);
    } catch (const error &e) {
        std::cerr << "classifier: " << e.what() << std::endl;
        return 1;
    }
    return sp_finish();
}
