#include "identity/learn.h"

enum hs_err hs_key_learn(struct hs_learned *learned, const struct hs_key *key)
{
    for (size_t i = 0; learned != NULL && i < learned->count; i++)
        if (hs_key_equal(&learned->keys[i], key))
            return HS_OK;
    HS_TRY(hs_sign_key_check(key));
    if (learned != NULL && learned->count < HS_LEARNED_MAX)
        learned->keys[learned->count++] = *key;
    return HS_OK;
}
