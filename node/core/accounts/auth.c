/* Authenticate: who opened this session. */
#include "identity/auth.h"
#include "core/dispatch.h"
#include "core/federation/discover.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/standing/standing.h"
#include "object/object.h"

#include <stdlib.h>

static enum hs_err device(struct hs_turn *turn, const Hanse__Authenticate *a)
{
    struct hs_session *session = turn->session;
    struct hs_certificate certificate;
    HS_TRY(hs_auth_verify_device(a->certificate, hs_pb_bytes(a->signature),
                                 hs_bytes(session->handshake_hash, sizeof session->handshake_hash),
                                 &session->remote_static, turn->now, &certificate));
    Hanse__State__AccountView *account = hs_account_view(turn, &certificate.persona);
    if (account != NULL)
        HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(account->device), HS_VIEW(certificate.signature_key)),
                   HS_ERR_DENIED); /* one device a user for now */
    HS_REQUIRE(session->state == HS_SESSION_NEW || hs_key_equal(&session->persona, &certificate.persona),
               HS_ERR_UNEXPECTED);
    HS_REQUIRE(hs_session_become(session, HS_SESSION_DEVICE, &certificate.signature_key), HS_ERR_UNEXPECTED);
    hs_session_replace_older(turn, &certificate.signature_key);
    session->persona = certificate.persona;
    session->account = account != NULL;
    return HS_OK;
}

static enum hs_err keep_descriptor(struct hs_turn *turn, const Hanse__SignedObject *object)
{
    struct hs_bytes bytes, *kept = &turn->session->descriptor;
    HS_TRY(hs_object_pack(object, turn->arena, &bytes));
    uint8_t *copy = malloc(bytes.len);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    memcpy(copy, bytes.data, bytes.len);
    free((void *)(uintptr_t)kept->data);
    *kept = hs_bytes(copy, bytes.len);
    return HS_OK;
}

static enum hs_err node(struct hs_turn *turn, const Hanse__Authenticate *a)
{
    struct hs_session *session = turn->session;
    struct hs_descriptor descriptor;
    HS_TRY(hs_auth_verify_node(a->descriptor, NULL, hs_pb_bytes(a->signature),
                               hs_bytes(session->handshake_hash, sizeof session->handshake_hash),
                               &session->remote_static, turn->now, &descriptor));
    HS_REQUIRE(!hs_key_equal(&descriptor.root, hs_turn_root(turn)), HS_ERR_WRONG_PEER);
    HS_REQUIRE(session->state == HS_SESSION_NEW || (session->state == HS_SESSION_NODE &&
                                                    hs_key_equal(&session->subscriber, &descriptor.root)),
               HS_ERR_UNEXPECTED);
    struct hs_id domain = hs_domain_hash(hs_bytes_str(descriptor.domain));
    HS_TRY(hs_node_key_check(turn, &descriptor));
    HS_TRY(keep_descriptor(turn, a->descriptor));
    HS_TRY(hs_standing_enter(turn, &descriptor.root, &domain));
    (void)hs_discover_claim(turn, &descriptor.root, descriptor.domain);
    HS_REQUIRE(hs_session_become(session, HS_SESSION_NODE, &descriptor.root), HS_ERR_UNEXPECTED);
    hs_session_replace_older(turn, &descriptor.root);
    if (session->standing != HS_STANDING_STRANGER) /* nothing of a stranger is remembered */
        hs_node_key_of_session(turn);
    return HS_OK;
}

enum hs_err hs_handle_authenticate(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                   uint64_t *detail)
{
    (void)detail;
    const Hanse__Authenticate *a = request->authenticate;
    HS_REQUIRE((a->certificate != NULL) != (a->descriptor != NULL), HS_ERR_MALFORMED);
    HS_TRY(a->certificate != NULL ? device(turn, a) : node(turn, a));
    (void)hs_effect_add(turn->effects, HS_EFFECT_AUTHENTICATED, turn->session->id);
    reply->authenticated = HS_NEW(turn, Hanse__Authenticated, hanse__authenticated);
    HS_REQUIRE(reply->authenticated != NULL, HS_ERR_NOMEM);
    reply->authenticated->has_account = turn->session->account;
    reply->authenticated->node_time_ms = turn->now.ms;
    reply->authenticated->incarnation = turn->core->incarnation;
    reply->body_case = HANSE__FRAME__BODY_AUTHENTICATED;
    return HS_OK;
}
