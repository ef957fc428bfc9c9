# hanse_protobuf(TARGET FOLDER FILES...): runs protoc-c on each .proto into the build tree; FILES are named from
# FOLDER, and their headers are included by the same names ("schema/link.pb-c.h").
find_program(PROTOC_C protoc-c REQUIRED)
function(hanse_protobuf target folder)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}-generated)
  set(generated)
  foreach(proto ${ARGN})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    add_custom_command(
      OUTPUT ${out}/${stem}.pb-c.c ${out}/${stem}.pb-c.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
      COMMAND ${PROTOC_C} --proto_path=${folder} --c_out=${out} ${proto}
      DEPENDS ${ARGN} WORKING_DIRECTORY ${folder} VERBATIM)
    list(APPEND generated ${out}/${stem}.pb-c.c)
  endforeach()
  # Generated code is not ours to warn about.
  add_library(${target} STATIC ${generated})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUF_C hanse_sanitizers PRIVATE hanse_hardening)
endfunction()
