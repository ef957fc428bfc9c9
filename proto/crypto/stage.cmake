hanse_stage(crypto SOURCES
  crypto/aead.c crypto/dh.c crypto/hash.c crypto/selftest.c crypto/sign.c
  DEPENDS hs_base)
if(HANSE_MLS_OPENSSL AND LIBCRYPTO_FOUND)
  # A library of its own, so that nothing else sees OpenSSL's headers.
  hanse_stage(crypto_openssl SOURCES crypto/openssl.c DEPENDS hs_base)
  target_link_libraries(hs_crypto_openssl PRIVATE PkgConfig::LIBCRYPTO)
  target_link_libraries(hs_crypto PRIVATE hs_crypto_openssl)
  target_compile_definitions(hs_crypto PRIVATE HANSE_OPENSSL)
endif()
