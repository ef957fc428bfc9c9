# hs_lmdb: hs_kv transactions over LMDB, for the node and for the client library alike.
hanse_stage(lmdb SOURCES store/dir.c store/lmdb_kv.c store/lmdb_new.c DEPENDS hs_base)
target_include_directories(hs_lmdb PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(hs_lmdb PRIVATE _GNU_SOURCE)
target_link_libraries(hs_lmdb PRIVATE PkgConfig::LMDB)

# hs_commit: the commit thread. Whoever links it brings the core (core/core.h), or a stand-in for tests.
hanse_stage(commit SOURCES store/commit.c store/histogram.c DEPENDS hs_lmdb hs_crypto PkgConfig::UV)
target_compile_definitions(hs_commit PRIVATE _GNU_SOURCE)
