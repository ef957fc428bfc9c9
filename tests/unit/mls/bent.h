/* KeyPackages that break one rule. */
#ifndef TESTS_MLS_BENT_H
#define TESTS_MLS_BENT_H

#include "unit/mls/world.h"

#include "mls/key_package_check.h"
#include "mls/suite.h"

/* Signs a KeyPackage again after it was bent, so that only the bend can be what is refused. */
struct bent {
    struct person *p;
    struct hs_mls_key_package kp;
    bool keep_leaf, keep_whole; /* leave that signature as it is */
};

static inline enum hs_err check_bent(struct bent *bent)
{
    struct hs_mls_key_package *kp = &bent->kp;
    struct hs_mls_signature leaf_sig, sig;
    struct hs_mls_key_package_facts f;
    struct hs_writer HS_WRITER leaf = hs_writer(CAP), HS_WRITER tbs = hs_writer(CAP),
                               HS_WRITER w = hs_writer(CAP);
    hs_mls_write_leaf_tbs(&leaf, &kp->leaf, (struct hs_bytes){0}, 0);
    assert_ok(hs_mls_sign(&bent->p->signer, "LeafNodeTBS", hs_writer_bytes(&leaf), &leaf_sig));
    if (!bent->keep_leaf)
        kp->leaf.signature = HS_MLS_VIEW(leaf_sig);
    hs_mls_write_key_package_tbs(&tbs, kp);
    assert_ok(hs_mls_sign(&bent->p->signer, "KeyPackageTBS", hs_writer_bytes(&tbs), &sig));
    if (!bent->keep_whole)
        kp->signature = HS_MLS_VIEW(sig);
    hs_mls_write_head(&w, HS_MLS_KEY_PACKAGE);
    hs_mls_write_key_package(&w, kp);
    return hs_mls_key_package_check(hs_writer_bytes(&w), NOW, &f);
}

static inline struct bent bent_new(struct person *p)
{
    struct bent good = {.p = p}, bent;
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&p->key_package), &good.kp));
    bent = good;
    assert_ok(check_bent(&bent));
    return good;
}

#endif
