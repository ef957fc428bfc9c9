# libhanse-mls, shared and static. Nothing but hanse/mls.h's functions leaves either.
set(objects)
set(stages)
set(outside PkgConfig::SODIUM)
set(requires_private libsodium)
foreach(stage mls_api mls crypto base)
  list(APPEND objects $<TARGET_OBJECTS:hs_${stage}>)
  list(APPEND stages hs_${stage})
endforeach()
if(TARGET hs_crypto_openssl)
  list(APPEND objects $<TARGET_OBJECTS:hs_crypto_openssl>)
  list(APPEND stages hs_crypto_openssl)
  list(APPEND outside PkgConfig::LIBCRYPTO)
  string(APPEND requires_private " libcrypto")
endif()

# The archive holds one object in which all hidden names have become local, so that it can stand beside libhanse.a,
# or whatever else has a name in common, in one program. (A sanitizer's sections don't bear that.)
set(archived ${objects})
if(NOT HANSE_SANITIZE AND CMAKE_OBJCOPY)
  set(whole ${CMAKE_CURRENT_BINARY_DIR}/hanse-mls.o)
  add_custom_command(OUTPUT ${whole}
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${whole} ${objects}
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${whole}
    DEPENDS ${objects} COMMAND_EXPAND_LISTS VERBATIM)
  set(archived ${whole})
  # Makefiles don't know by the objects alone which targets make them.
  add_custom_target(hanse_mls_whole DEPENDS ${whole})
  add_dependencies(hanse_mls_whole ${stages})
endif()
add_library(libhanse_mls STATIC ${archived})
if(TARGET hanse_mls_whole)
  add_dependencies(libhanse_mls hanse_mls_whole)
endif()
add_library(libhanse_mls_shared SHARED ${objects})
if(NOT HANSE_SANITIZE)
  target_link_options(libhanse_mls_shared PRIVATE -Wl,--no-undefined)
endif()
foreach(name libhanse_mls libhanse_mls_shared)
  set_target_properties(${name} PROPERTIES OUTPUT_NAME hanse-mls LINKER_LANGUAGE C
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_include_directories(${name} INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/include)
  target_link_libraries(${name} PRIVATE ${outside} hanse_hardening PUBLIC hanse_sanitizers)
endforeach()

configure_file(mls_api/hanse-mls.pc.in hanse-mls.pc @ONLY)
install(TARGETS libhanse_mls libhanse_mls_shared
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/hanse/err.h include/hanse/mls.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hanse)
install(DIRECTORY include/hanse/mls DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/hanse)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hanse-mls.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The sample of README.md, on nothing but the header and the library; the page shows its text and what it prints.
hanse_program(mls_sample SOURCES mls_api/sample/club.c DEPENDS libhanse_mls_shared)
set_target_properties(mls_sample PROPERTIES C_STANDARD 99)
if(HANSE_TESTS)
  set(sample ${CMAKE_CURRENT_SOURCE_DIR}/mls_api/sample)
  add_test(NAME mls_api/sample COMMAND python3 ${CMAKE_SOURCE_DIR}/tests/lint/pages.py
    ${CMAKE_CURRENT_SOURCE_DIR}/mls_api/README.md $<TARGET_FILE:mls_sample> ${sample}/club.c ${sample}/disk.h)
  set_tests_properties(mls_api/sample PROPERTIES TIMEOUT 60 LABELS unit)
endif()
