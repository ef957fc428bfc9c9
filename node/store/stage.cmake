# hs_lmdb: hs_kv transactions over LMDB, for the node and for the client library alike.
hanse_stage(lmdb SOURCES store/dir.c store/lmdb_kv.c store/lmdb_new.c store/lmdb_open.c DEPENDS hs_base)
target_include_directories(hs_lmdb PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(hs_lmdb PRIVATE _GNU_SOURCE)
target_link_libraries(hs_lmdb PRIVATE PkgConfig::LMDB)

# hs_export: backups, restoring and checking: a store's records and what follows from them.
if(TARGET hs_core)
  hanse_stage(export SOURCES store/check.c store/check_rooms.c store/export.c store/export_frame.c store/import.c
    DEPENDS hs_lmdb hs_core hs_crypto)
  target_compile_definitions(hs_export PRIVATE _GNU_SOURCE)
endif()

# hs_commit: the commit thread. Whoever links it brings the core (core/core.h), or a stand-in for tests.
hanse_stage(commit SOURCES store/commit.c store/histogram.c store/round.c DEPENDS hs_lmdb hs_crypto PkgConfig::UV)
target_compile_definitions(hs_commit PRIVATE _GNU_SOURCE)

# hs_blob: blobs as files, and what the core wants done with them.
hanse_stage(blob SOURCES store/blob.c store/blob_job.c DEPENDS hs_lmdb hs_room hs_schema hs_wire)
target_compile_definitions(hs_blob PRIVATE _GNU_SOURCE)
target_include_directories(hs_blob PUBLIC ${CMAKE_SOURCE_DIR}/node)
