# The network side with a stand-in for the core.
foreach(stem net net_limits dial turns fanout ahead)
  hanse_test(net ${stem} hs_net)
  target_compile_definitions(test_net_${stem} PRIVATE _GNU_SOURCE)
  target_sources(test_net_${stem} PRIVATE
    ${CMAKE_CURRENT_SOURCE_DIR}/unit/net/bench.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/net/fake_core.c)
endforeach()
target_link_options(test_net_ahead PRIVATE -Wl,--wrap=hs_lmdb_commit)
hanse_test(net crew hs_net)
hanse_test(net address hs_net)
target_compile_definitions(test_net_address PRIVATE _GNU_SOURCE)
if(NOT HANSE_SANITIZE)
  # A sanitizer's allocator keeps other accounts.
  hanse_test(net idle hs_net hs_core)
  target_compile_definitions(test_net_idle PRIVATE _GNU_SOURCE)
endif()
