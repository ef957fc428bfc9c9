# The world that the tests of the core share.
add_library(test_core_world STATIC
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_more.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_link.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_rebuild.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_dump.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_device.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_sync.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/peer_world.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_blob.c
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_room.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/world_commit.c)
target_include_directories(test_core_world PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}
  ${CMAKE_CURRENT_SOURCE_DIR}/unit/core)
target_compile_definitions(test_core_world PRIVATE _GNU_SOURCE)
target_link_libraries(test_core_world PUBLIC hs_core hs_blob PkgConfig::CMOCKA
  PRIVATE hanse_warnings hanse_hardening hanse_sanitizers)

hanse_test(core auth test_core_world)
hanse_test(core sign_up test_core_world)
hanse_test(core join test_core_world)
hanse_test(core commit test_core_world)
hanse_test(core settle test_core_world)
hanse_test(core leave test_core_world)
hanse_test(core ephemeral test_core_world)
target_compile_definitions(test_core_ephemeral PRIVATE _GNU_SOURCE)
hanse_test(core post test_core_world)
hanse_test(core delivery test_core_world)
hanse_test(core federation test_core_world)
hanse_test(core outbox test_core_world)
hanse_test(core frames test_core_world)
hanse_test(core hostile test_core_world)
hanse_test(core forged test_core_world)
hanse_test(core evidence test_core_world)
hanse_test(core home test_core_world)
hanse_test(core rewind test_core_world)
hanse_test(core office test_core_world)
hanse_test(core office_come test_core_world)
hanse_test(core office_former test_core_world)
hanse_test(core way test_core_world)
hanse_test(core office_told test_core_world)
foreach(test office office_come office_former office_told way)
  target_sources(test_core_${test} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/office_scene.c)
endforeach()
hanse_test(core recover test_core_world)
hanse_test(core recover_claims test_core_world)
hanse_test(core recover_members test_core_world)
hanse_test(core peers test_core_world)
hanse_test(core standing test_core_world)
hanse_test(core discover test_core_world)
hanse_test(core domain_root test_core_world)
hanse_test(core wake test_core_world)
hanse_test(core hub_limits test_core_world)
hanse_test(core counter test_core_world)
hanse_test(core ledger test_core_world)
hanse_test(core fuzz test_core_world)
hanse_test(core again test_core_world)
hanse_test(core schedule test_core_world)
hanse_test(core nomem test_core_world)
target_sources(test_core_nomem PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/scarce.c)
target_link_options(test_core_nomem PRIVATE -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc
  -Wl,--wrap=hs_core_pump)
hanse_test(core rebuild test_core_world)
hanse_test(core admin test_core_world)
hanse_test(core rejoin test_core_world)
hanse_test(core wanted test_core_world)
hanse_test(core tree test_core_world)
hanse_test(core tree_rival test_core_world)
hanse_test(core layout test_core_world)
hanse_test(core node_key test_core_world)
hanse_test(core growth test_core_world)
hanse_test(core pack hs_core)
hanse_test(core due hs_core)
hanse_test(core retention test_core_world)
hanse_test(core spent test_core_world)
hanse_test(core blob test_core_world)
target_compile_definitions(test_core_blob PRIVATE _GNU_SOURCE)
hanse_test(core blob_far test_core_world)

# The scenes of these tests once more, in worlds that are short of memory.
foreach(stem sign_up join commit settle leave post ledger counter blob blob_far home evidence recover rejoin retention
    discover wake federation)
  set(target test_core_scarce_${stem})
  hanse_program(${target} SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/${stem}_test.c
    ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/scarce.c ${CMAKE_CURRENT_SOURCE_DIR}/unit/core/scarce_world.c
    DEPENDS test_core_world PkgConfig::CMOCKA)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_link_options(${target} PRIVATE -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc)
  add_test(NAME core/scarce_${stem} COMMAND ${target})
  set_tests_properties(core/scarce_${stem} PROPERTIES TIMEOUT 240 LABELS unit)
endforeach()
