foreach(stem config peers site log)
  hanse_test(admin ${stem} hs_admin)
  target_compile_definitions(test_admin_${stem} PRIVATE _GNU_SOURCE)
endforeach()

if(TARGET hansed)
  hanse_test(admin hansed hs_identity)
  target_compile_definitions(test_admin_hansed PRIVATE _GNU_SOURCE HANSED="$<TARGET_FILE:hansed>")
  add_dependencies(test_admin_hansed hansed)
endif()

hanse_test(admin grid hs_admin)
foreach(stem metrics notify)
  hanse_test(admin ${stem} hs_admin hs_net hs_commit hs_lmdb hs_core)
  target_compile_definitions(test_admin_${stem} PRIVATE _GNU_SOURCE)
endforeach()
# The operator's socket, on a net with a stand-in for the core.
hanse_test(admin control hs_admin)
target_compile_definitions(test_admin_control PRIVATE _GNU_SOURCE)
target_include_directories(test_admin_control PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit ${CMAKE_CURRENT_SOURCE_DIR}/unit/net)
target_sources(test_admin_control PRIVATE
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/net/bench.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/net/fake_core.c)
