/* What an issuer that was restored has been shown. */
#ifndef TESTS_CLIENT_PROOF_SCENE_H
#define TESTS_CLIENT_PROOF_SCENE_H

#include "shop.h"

#include "core/recovery/proof.h"
#include "core/recovery/recover.h"

/* As the node counts it. */
struct hs_proofs proofs_at(struct town_node *node);
bool ledger_is_frozen(struct town_node *node);

/* What the device knows of having shown to the node with that root. */
struct hs_shown_row shown_row(struct town_device *d, const struct hs_key *root);

#endif
