hanse_stage(room SOURCES
  room/body.c room/content.c room/context.c room/genesis.c room/group_store.c room/group_undo.c room/head.c room/invite.c room/invite_link.c
  room/join.c room/judge.c room/judge_change.c room/judge_proposal.c room/leaf.c room/log.c room/package.c room/policy.c
  room/policy_change.c
  room/evidence.c room/home_move.c room/hub_move.c
  room/settlement.c room/ephemeral.c room/window.c
  room/blob.c room/attachment.c
  DEPENDS hs_object hs_identity hs_wire hs_mls hs_schema)
