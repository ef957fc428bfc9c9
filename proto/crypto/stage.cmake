hanse_stage(crypto SOURCES
  crypto/aead.c crypto/dh.c crypto/hash.c crypto/selftest.c crypto/sign.c
  DEPENDS hs_base)
