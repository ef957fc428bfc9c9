# The public API of the MLS stage, and the library that is made of it: libhanse-mls. It takes base, crypto and mls
# along and nothing else, so it needs libsodium, and libcrypto where suite 1 is built.
hanse_stage(mls_api SOURCES
  mls_api/commit.c mls_api/enter.c mls_api/error.c mls_api/extension.c mls_api/group.c mls_api/input.c
  mls_api/key_package.c mls_api/layout.c mls_api/message.c mls_api/output.c mls_api/public.c mls_api/signer.c
  mls_api/store.c mls_api/traffic.c
  DEPENDS hs_mls)
target_include_directories(hs_mls_api PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include)
target_compile_definitions(hs_mls_api PRIVATE HANSE_VERSION="${PROJECT_VERSION}")
include(mls_api/library.cmake)
