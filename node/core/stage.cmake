hanse_protobuf(hs_state ${CMAKE_CURRENT_SOURCE_DIR} core/state.proto core/admin.proto)
hanse_stage(core SOURCES
  core/absent.c core/account.c core/admin.c core/admin_peers.c core/admin_rooms.c core/attach.c core/auth.c core/core.c core/counter.c core/cursor.c core/dispatch.c core/due.c core/effects.c
  core/evidence.c core/heads.c core/pack.c core/room_home.c core/room_move.c core/office.c core/office_check.c core/office_take.c core/recover.c core/recovery.c core/tail.c core/admin_recover.c
  core/blob.c core/blob_fetch.c core/blob_get.c core/blob_put.c core/blob_move.c core/blob_quota.c
  core/room_apply_settle.c core/room_leave.c core/ephemeral.c core/settle.c core/settle_votes.c
  core/follow.c core/follow_items.c core/follow_former.c core/forward.c core/inbox.c core/layout.c core/ledger.c core/outbox.c core/peer.c core/peer_ask.c
  core/peer_session.c core/promise.c core/pump.c core/register.c core/replay.c core/retention.c core/room.c core/room_apply.c core/room_apply_commit.c
  core/room_commit.c core/room_create.c core/room_facts.c core/room_invite.c core/room_join.c core/room_post.c core/room_rejoin.c core/session.c core/stream.c
  core/discover.c core/node_key.c core/guest.c core/meter.c core/url.c core/wake.c core/rules.c core/standing.c
  core/table.c
  DEPENDS hs_state hs_deal hs_room hs_identity hs_object hs_mls hs_wire hs_schema hs_crypto hs_base)
target_include_directories(hs_core PUBLIC ${CMAKE_SOURCE_DIR}/node)
