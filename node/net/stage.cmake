# hs_net: sockets. Whoever links it brings the core, as for hs_commit.
hanse_stage(net SOURCES net/blobs.c net/address.c net/bucket.c net/conn.c net/crew.c net/dial.c net/fanout.c net/listen.c net/loop.c net/rounds.c
  net/turns.c
  DEPENDS hs_blob hs_commit hs_link hs_identity)
target_compile_definitions(hs_net PRIVATE _GNU_SOURCE)
