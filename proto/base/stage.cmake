hanse_stage(base SOURCES
  base/arena.c base/err.c base/kv.c base/kv_memory.c base/reader.c base/secret.c base/text.c base/writer.c
  DEPENDS PkgConfig::SODIUM)
target_include_directories(hs_base PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
