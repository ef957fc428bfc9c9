# hanse_stage(NAME SOURCES... DEPENDS...): one stage of the data's way as one static library, hs_NAME.
# Position-independent so that libhanse can be made from the same objects.
function(hanse_stage name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(hs_${name} STATIC ${ARG_SOURCES})
  set_target_properties(hs_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
  target_link_libraries(hs_${name} PUBLIC ${ARG_DEPENDS}
    PRIVATE hanse_warnings hanse_hardening PUBLIC hanse_sanitizers)
endfunction()

# hanse_program(NAME SOURCES... DEPENDS...): one executable.
function(hanse_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} hanse_warnings hanse_hardening hanse_sanitizers)
endfunction()

# hanse_test(STAGE STEM DEPENDS...): tests/unit/STAGE/STEM_test.c as the ctest "STAGE/STEM".
function(hanse_test stage stem)
  set(target test_${stage}_${stem})
  hanse_program(${target} SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/${stage}/${stem}_test.c
    DEPENDS ${ARGN} PkgConfig::CMOCKA)
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  add_test(NAME ${stage}/${stem} COMMAND ${target})
  set_tests_properties(${stage}/${stem} PROPERTIES TIMEOUT 120 LABELS unit)
endfunction()
