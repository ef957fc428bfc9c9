# hanse_vector_test(STAGE STEM DEPENDS...): a unit test that reads published vectors; skipped where they are missing.
function(hanse_vector_test stage stem)
  hanse_test(${stage} ${stem} ${ARGN} PkgConfig::JANSSON)
  target_compile_definitions(test_${stage}_${stem} PRIVATE
    HANSE_VECTORS_DEFAULT="${CMAKE_SOURCE_DIR}/../shared/vectors")
  set_tests_properties(${stage}/${stem} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()
