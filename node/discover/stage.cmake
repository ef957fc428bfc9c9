# hs_discover: finding other nodes by their domains, and waking devices. libcurl and c-ares, on threads of their own.
hanse_stage(discover SOURCES discover/discover.c discover/request.c discover/resolve.c discover/wake.c
  DEPENDS hs_net hs_core hs_identity)
target_compile_definitions(hs_discover PRIVATE _GNU_SOURCE)
target_link_libraries(hs_discover PRIVATE PkgConfig::CURL PkgConfig::CARES)
