hanse_stage(object SOURCES
  object/codec.c object/hdr.c object/kinds.c object/object.c
  DEPENDS hs_wire hs_schema hs_crypto)
