hanse_test(store lmdb_kv hs_lmdb)
target_compile_definitions(test_store_lmdb_kv PRIVATE _GNU_SOURCE)

hanse_test(store commit hs_commit)
target_compile_definitions(test_store_commit PRIVATE _GNU_SOURCE)
target_sources(test_store_commit PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit/net/fake_core.c)

hanse_test(store histogram hs_commit)

if(TARGET hs_export)
  hanse_test(store export hs_export test_core_world)
  target_compile_definitions(test_store_export PRIVATE _GNU_SOURCE)
  hanse_test(store export_running hs_export test_core_world)
  target_compile_definitions(test_store_export_running PRIVATE _GNU_SOURCE)
  hanse_test(store golden hs_export)
  target_compile_definitions(test_store_golden PRIVATE _GNU_SOURCE GOLDEN="${CMAKE_CURRENT_SOURCE_DIR}/golden")
endif()
hanse_test(store blob hs_blob)
target_compile_definitions(test_store_blob PRIVATE _GNU_SOURCE)
