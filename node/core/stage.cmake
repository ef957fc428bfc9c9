hanse_protobuf(hs_state ${CMAKE_CURRENT_SOURCE_DIR} core/state.proto core/admin.proto)
hanse_stage(core SOURCES
  core/core.c core/dispatch.c core/effects.c core/ledger.c core/ledger_views.c core/session.c
  core/accounts/account.c core/accounts/auth.c
  core/admin/admin.c core/admin/admin_peers.c core/admin/admin_recover.c core/admin/admin_rooms.c
  core/admin/admin_roots.c
  core/blobs/blob.c core/blobs/blob_fetch.c core/blobs/blob_get.c core/blobs/blob_move.c core/blobs/blob_move_work.c
  core/blobs/blob_want.c
  core/blobs/blob_put.c core/blobs/blob_quota.c core/blobs/upload.c core/blobs/held_welcome.c
  core/delivery/attach.c core/delivery/cursor.c core/delivery/due.c core/delivery/inbox.c core/delivery/inbox_age.c
  core/delivery/pack.c core/delivery/pump.c core/delivery/wake.c
  core/federation/discover.c core/federation/domain_root.c core/federation/evidence.c core/federation/follow.c
  core/federation/follow_check.c core/federation/follow_former.c core/federation/follow_items.c
  core/federation/follow_records.c core/federation/forward.c
  core/federation/handed_on.c core/federation/heads.c core/federation/node_key.c core/federation/outbox.c
  core/federation/peer.c core/federation/peer_ask.c core/federation/peer_session.c core/federation/promise.c core/federation/url.c
  core/office/office.c core/office/office_check.c core/office/office_take.c
  core/office/link.c core/office/prefix.c core/office/prefix_give.c core/office/room_move.c core/office/takeover.c
  core/office/tell_brand.c core/office/told.c core/office/way.c core/office/way_ask.c
  core/office/way_place.c core/office/way_take.c core/office/way_tell.c
  core/records/layout.c core/records/register.c core/records/replay.c core/records/retention.c
  core/records/spent.c core/records/thin.c core/records/stream.c core/records/table.c
  core/recovery/absent.c core/recovery/proof.c core/recovery/recover.c core/recovery/recovery.c core/recovery/tail.c
  core/recovery/tail_take.c
  core/rooms/counter.c core/rooms/electorate.c core/rooms/ephemeral.c core/rooms/room.c core/rooms/room_apply.c
  core/rooms/room_apply_commit.c core/rooms/room_apply_settle.c core/rooms/room_commit.c
  core/rooms/room_create.c core/rooms/room_facts.c core/rooms/room_home.c core/rooms/room_invite.c
  core/rooms/room_join.c core/rooms/room_leave.c core/rooms/room_post.c core/rooms/room_rejoin.c
  core/rooms/settle.c core/rooms/settle_in.c core/rooms/settle_votes.c core/rooms/wanted.c
  core/standing/guest.c core/standing/kept.c core/standing/meter.c core/standing/rules.c core/standing/standing.c
  DEPENDS hs_state hs_deal hs_room hs_identity hs_object hs_mls hs_wire hs_schema hs_crypto hs_base)
target_include_directories(hs_core PUBLIC ${CMAKE_SOURCE_DIR}/node)
