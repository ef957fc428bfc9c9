hanse_stage(wire SOURCES
  wire/prewalk.c wire/scalar.c wire/unpack.c wire/frame.c
  DEPENDS hs_base PkgConfig::PROTOBUF_C)
