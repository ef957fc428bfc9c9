# hanse_warnings: what every target of this project is compiled with.
add_library(hanse_warnings INTERFACE)
target_compile_options(hanse_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wvla
  -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wundef
  $<$<BOOL:${HANSE_WERROR}>:-Werror>)

# hanse_hardening: the flags of release and dev builds. FORTIFY is left out under a sanitizer, which it blinds.
add_library(hanse_hardening INTERFACE)
target_compile_options(hanse_hardening INTERFACE
  -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
  -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
  $<$<C_COMPILER_ID:GNU>:-fzero-call-used-regs=used-gpr>
  $<$<C_COMPILER_ID:Clang>:-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang>)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(hanse_hardening INTERFACE -fcf-protection=full)
endif()
target_link_options(hanse_hardening INTERFACE
  -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
if(NOT HANSE_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(hanse_hardening INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# hanse_sanitizers: empty unless HANSE_SANITIZE names a list such as "address,undefined".
add_library(hanse_sanitizers INTERFACE)
if(HANSE_SANITIZE)
  target_compile_options(hanse_sanitizers INTERFACE
    -fsanitize=${HANSE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(hanse_sanitizers INTERFACE -fsanitize=${HANSE_SANITIZE})
endif()
