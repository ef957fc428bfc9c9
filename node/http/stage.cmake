# hs_http: a few pages for scrapers, browsers and other nodes.
hanse_stage(http SOURCES http/http.c DEPENDS hs_net)
target_compile_definitions(hs_http PRIVATE _GNU_SOURCE)
target_link_libraries(hs_http PRIVATE PkgConfig::MICROHTTPD)
