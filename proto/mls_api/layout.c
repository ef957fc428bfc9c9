/* Structs of hanse/mls.h that are cast to and from their twins inside: same members, same places. */
#include "mls/leaf.h"
#include "mls_api/api.h"

/* P and I: the public struct and the inner one, without prefix; p and i: their members. */
#define PLACE(P, p, I, i)                                                                                    \
    _Static_assert(offsetof(struct hanse_mls_##P, p) == offsetof(struct hs_mls_##I, i) &&                    \
                       sizeof((struct hanse_mls_##P *)0)->p == sizeof((struct hs_mls_##I *)0)->i,            \
                   "hanse/mls.h: " #P "." #p)
#define SAME(P, I, member) PLACE(P, member, I, member)
#define SIZE(P, I)                                                                                           \
    _Static_assert(sizeof(struct hanse_mls_##P) == sizeof(struct hs_mls_##I), "hanse/mls.h: " #P)

_Static_assert(sizeof(struct hanse_mls_bytes) == sizeof(struct hs_bytes) &&
                   offsetof(struct hanse_mls_bytes, len) == offsetof(struct hs_bytes, len),
               "views");

SIZE(hash, hash);
SAME(hash, hash, len);
SAME(hash, hash, v);

SIZE(extension, extension);
SAME(extension, extension, type);
SAME(extension, extension, data);

SIZE(required, required);
SAME(required, required, extensions);
SAME(required, required, proposals);
SAME(required, required, credentials);
SAME(required, required, extension_count);
SAME(required, required, proposal_count);
SAME(required, required, credential_count);

SIZE(external_sender, external_sender);
SAME(external_sender, external_sender, signature_key);
SAME(external_sender, external_sender, credential_type);
SAME(external_sender, external_sender, identity);

SIZE(member, member);
SAME(member, member, leaf);
SAME(member, member, credential_type);
SAME(member, member, identity);
SAME(member, member, signature_key);
SAME(member, member, extensions);

SIZE(author, author);
SAME(author, author, type);
SAME(author, author, index);

SIZE(psk_id, psk_id);
SAME(psk_id, psk_id, type);
SAME(psk_id, psk_id, id);
SAME(psk_id, psk_id, usage);
SAME(psk_id, psk_id, group_id);
SAME(psk_id, psk_id, epoch);
SAME(psk_id, psk_id, nonce);
PLACE(psk_id, encoded, psk_id, raw);

SIZE(psk, psk);
SAME(psk, psk, id);
SAME(psk, psk, secret);

SIZE(reinit, reinit);
SAME(reinit, reinit, group_id);
SAME(reinit, reinit, version);
SAME(reinit, reinit, suite);
SAME(reinit, reinit, extensions);

SIZE(added, added);
SAME(added, added, member);
SAME(added, added, key_package_ref);
SAME(added, added, by);

SIZE(removed, removed);
SAME(removed, removed, member);
SAME(removed, removed, by);

SIZE(updated, updated);
SAME(updated, updated, before);
SAME(updated, updated, after);

SIZE(psk_used, psk_used);
SAME(psk_used, psk_used, id);
SAME(psk_used, psk_used, by);

SAME(change, change, epoch);
SAME(change, change, committer);
SAME(change, change, external);
SAME(change, change, resync);
SAME(change, change, added);
SAME(change, change, removed);
SAME(change, change, updated);
SAME(change, change, psks);
SAME(change, change, added_count);
SAME(change, change, removed_count);
SAME(change, change, updated_count);
SAME(change, change, psk_count);
SAME(change, change, has_path);
SAME(change, change, removes_self);
SAME(change, change, extensions_proposed);
SAME(change, change, extensions_by);
SAME(change, change, old_extensions);
SAME(change, change, new_extensions);
SAME(change, change, reinit_proposed);
SAME(change, change, reinit_by);
SAME(change, change, reinit);

SIZE(proposal, proposal_facts);
SAME(proposal, proposal_facts, type);
SAME(proposal, proposal_facts, ref);
SAME(proposal, proposal_facts, target);
SAME(proposal, proposal_facts, extensions);
SAME(proposal, proposal_facts, psk);
SAME(proposal, proposal_facts, reinit);

SAME(event, event, kind);
SAME(event, event, epoch);
SAME(event, event, author);
SAME(event, event, sender);
SAME(event, event, authenticated_data);
SAME(event, event, plaintext);
SAME(event, event, proposal);
SAME(event, event, staged);

SIZE(peek, peek);
SAME(peek, peek, wire_format);
SAME(peek, peek, group_id);
SAME(peek, peek, epoch);
SAME(peek, peek, content_type);
SAME(peek, peek, sender_known);
SAME(peek, peek, sender);
SAME(peek, peek, authenticated_data);

/* Numbers that both sides name. */
#define NUMBER(name) _Static_assert((int)HANSE_MLS_##name == (int)HS_MLS_##name, "hanse/mls.h: " #name)
NUMBER(BASIC);
NUMBER(X509);
NUMBER(ADD);
NUMBER(UPDATE);
NUMBER(REMOVE);
NUMBER(PSK);
NUMBER(REINIT);
NUMBER(EXTERNAL_INIT);
NUMBER(GROUP_CONTEXT_EXTENSIONS);
NUMBER(SENDER_MEMBER);
NUMBER(SENDER_EXTERNAL);
NUMBER(SENDER_NEW_MEMBER_PROPOSAL);
NUMBER(SENDER_NEW_MEMBER_COMMIT);
NUMBER(PSK_EXTERNAL);
NUMBER(PSK_RESUMPTION);
NUMBER(PSK_APPLICATION);
NUMBER(PSK_REINIT);
NUMBER(PSK_BRANCH);
NUMBER(EVENT_APPLICATION);
NUMBER(EVENT_PROPOSAL);
NUMBER(EVENT_COMMIT);
NUMBER(EVENT_OWN_COMMIT);
NUMBER(PUBLIC_MESSAGE);
NUMBER(PRIVATE_MESSAGE);
NUMBER(WELCOME);
NUMBER(GROUP_INFO);
NUMBER(KEY_PACKAGE);
NUMBER(APPLICATION);
NUMBER(PROPOSAL);
NUMBER(COMMIT);
NUMBER(EXT_APPLICATION_ID);
NUMBER(EXT_RATCHET_TREE);
NUMBER(EXT_REQUIRED_CAPABILITIES);
NUMBER(EXT_EXTERNAL_PUB);
NUMBER(EXT_EXTERNAL_SENDERS);
NUMBER(EXT_LAST_RESORT);
NUMBER(MAX_LEAVES);
NUMBER(MAX_MESSAGE);
NUMBER(MAX_APPLICATION);
NUMBER(MAX_IDENTITY);
NUMBER(MAX_GROUP_ID);
NUMBER(MAX_EXTENSIONS);
NUMBER(MAX_CAPABILITIES);
NUMBER(MAX_OUT_OF_ORDER);
NUMBER(MAX_FORWARD);
NUMBER(MAX_PAST_EPOCHS);
NUMBER(MAX_PADDING);
NUMBER(MAX_PSKS);
NUMBER(MAX_EXTERNAL_SENDERS);
_Static_assert((int)HANSE_MLS_MAX_WAITING == (int)HS_MLS_MAX_CACHED_PROPOSALS, "hanse/mls.h: MAX_WAITING");
_Static_assert((int)HANSE_MLS_KEY_MAX == (int)HS_MLS_STORE_KEY, "hanse/mls.h: KEY_MAX");
