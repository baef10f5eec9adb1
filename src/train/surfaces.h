/* The network among the surfaces. */
#ifndef SPUSK_TRAIN_SURFACES_H
#define SPUSK_TRAIN_SURFACES_H

#include <spusk/extend.h>
#include <spusk/optim.h>
#include <spusk/surfaces.h>

typedef struct sp__surface_net {
    sp_tensor *origin;     /* all weights in a row, where the first training ended */
    sp_tensor *directions; /* (2, weights): to the end of the second, to the beginning of the first */
} sp__surface_net;

sp_status sp__surface_net_train(sp__surface_net *net);
void sp__surface_net_free(sp__surface_net *net);
sp_tensor *sp__surface_net_value(const sp__surface_net *net, sp_tensor *p);

#endif
