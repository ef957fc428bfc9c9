hanse_stage(mls SOURCES
  mls/codec.c mls/codec_commit.c mls/event.c mls/framing.c mls/group.c mls/group_commit.c mls/group_compose.c
  mls/group_join.c mls/group_merge.c mls/group_process.c mls/group_save.c mls/group_send.c mls/group_stage.c
  mls/group_welcome.c mls/key_package.c mls/keys.c mls/leaf.c mls/message.c mls/private_message.c mls/proposals.c
  mls/public.c mls/public_process.c mls/ratchet.c mls/schedule.c mls/secret_tree.c mls/staged.c mls/state.c mls/suite.c
  mls/tree.c mls/tree_check.c mls/tree_codec.c mls/tree_hash.c mls/tree_math.c mls/tree_resolve.c mls/treekem.c
  DEPENDS hs_crypto)
