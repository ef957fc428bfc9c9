hanse_stage(mls SOURCES
  mls/codec.c mls/codec_commit.c mls/event.c mls/extensions.c mls/framing.c mls/group.c mls/group_commit.c mls/group_compose.c mls/group_external.c mls/group_make.c mls/group_outsider.c mls/group_successor.c
  mls/group_join.c mls/group_merge.c mls/group_process.c mls/group_load.c mls/group_past.c mls/group_psk.c mls/group_public.c mls/group_record.c mls/group_send.c mls/group_settle.c mls/group_stage.c mls/group_store.c
  mls/group_welcome.c mls/key_package.c mls/keys.c mls/leaf.c mls/leaf_make.c mls/message.c mls/private_message.c mls/proposal_apply.c mls/proposal_cache.c mls/proposal_check.c
  mls/proposal_list.c
  mls/public.c mls/public_process.c mls/public_save.c mls/ratchet.c mls/schedule.c
  mls/hpke.c mls/kdf.c mls/parts.c mls/provider.c mls/provider_sodium.c mls/secret_pieces.c mls/store.c
  mls/secret_tree.c mls/staged.c mls/state.c mls/suite.c
  mls/tree.c mls/tree_check.c mls/tree_codec.c mls/tree_diff.c mls/tree_hash.c mls/tree_math.c mls/tree_node.c mls/tree_record.c mls/tree_resolve.c
  mls/tree_store.c mls/treekem.c
  DEPENDS hs_crypto)
if(TARGET hs_crypto_openssl) # suite 1
  target_link_libraries(hs_mls PRIVATE hs_crypto_openssl)
  target_compile_definitions(hs_mls PUBLIC HANSE_MLS_OPENSSL)
endif()
