/* What this project adds to spusk. */
#include <spusk/spusk.h>

/* x + sin²(a·x)/a, element by element, for floating x: an activation for what repeats itself. Its slope is
 * 1 + sin(2·a·x). Ziyin, Hartwig, Ueda, arXiv:2006.08195. */
sp_tensor *snake(sp_tensor *x, double a);

/* Lion: steps of one length, in the direction of the sign of a running mean. Chen et al., arXiv:2302.06675.
 *     u = sign(beta1·m + (1 - beta1)·g);  p = p - lr·(u + weight_decay·p);  m = beta2·m + (1 - beta2)·g */
typedef struct lion lion;
lion *lion_new(const sp_list *parameters, double lr, double weight_decay);
sp_status lion_step(lion *optimizer);

/* `length` points of a noisy wave: x (1) in [-1, 1), y (1). Point i depends on seed and i alone. */
sp_dataset *waves_new(int64_t length, uint64_t seed);
