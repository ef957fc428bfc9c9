# hanse_protobuf(TARGET FILES...): runs protoc-c on each .proto into the build tree.
find_program(PROTOC_C protoc-c REQUIRED)
function(hanse_protobuf target)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated)
  set(generated)
  foreach(proto ${ARGN})
    get_filename_component(stem ${proto} NAME_WE)
    add_custom_command(
      OUTPUT ${out}/schema/${stem}.pb-c.c ${out}/schema/${stem}.pb-c.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
      COMMAND ${PROTOC_C} --proto_path=${CMAKE_CURRENT_SOURCE_DIR} --c_out=${out} ${proto}
      DEPENDS ${ARGN} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} VERBATIM)
    list(APPEND generated ${out}/schema/${stem}.pb-c.c)
  endforeach()
  # Generated code is not ours to warn about.
  add_library(${target} STATIC ${generated})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUF_C hanse_sanitizers PRIVATE hanse_hardening)
endfunction()
