# Through the installed header and the shared library alone, as any other program.
add_library(test_mls_api_header OBJECT ${CMAKE_CURRENT_SOURCE_DIR}/unit/mls_api/header_c99.c)
set_target_properties(test_mls_api_header PROPERTIES C_STANDARD 99 C_EXTENSIONS OFF)
target_link_libraries(test_mls_api_header PRIVATE hanse_warnings libhanse_mls_shared)
foreach(test signer input extension key_package group change store hub outside kinds fields failure)
  hanse_test(mls_api ${test} libhanse_mls_shared)
endforeach()
target_link_libraries(test_mls_api_signer PRIVATE $<TARGET_OBJECTS:test_mls_api_header>)
