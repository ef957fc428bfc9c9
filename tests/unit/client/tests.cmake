# Real nodes and real devices in one process, with a clock of their own.
add_library(test_client_town STATIC ${CMAKE_CURRENT_SOURCE_DIR}/unit/client/town.c)
target_include_directories(test_client_town PUBLIC ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/unit/client)
target_compile_definitions(test_client_town PRIVATE _GNU_SOURCE)
target_link_libraries(test_client_town PUBLIC hs_client_sync hs_core PkgConfig::CMOCKA
  PRIVATE hanse_warnings hanse_hardening hanse_sanitizers)

hanse_test(client chat test_client_town)
hanse_test(client deal test_client_town)
hanse_test(client crash test_client_town)
hanse_test(client store hs_client_store)
target_compile_definitions(test_client_store PRIVATE _GNU_SOURCE)

if(HANSE_CLIENT_UV)
  add_library(test_client_header OBJECT ${CMAKE_CURRENT_SOURCE_DIR}/unit/client/header_c99.c)
  set_target_properties(test_client_header PROPERTIES C_STANDARD 99 C_EXTENSIONS OFF)
  target_link_libraries(test_client_header PRIVATE hanse_warnings libhanse)
  hanse_test(client api libhanse PkgConfig::UV)
  target_compile_definitions(test_client_api PRIVATE _GNU_SOURCE)
  target_include_directories(test_client_api PRIVATE ${CMAKE_SOURCE_DIR}/proto)
  target_link_libraries(test_client_api PRIVATE $<TARGET_OBJECTS:test_client_header>)
endif()
