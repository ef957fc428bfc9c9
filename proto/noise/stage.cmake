hanse_stage(noise SOURCES
  noise/cipherstate.c noise/symmetricstate.c noise/handshake.c
  DEPENDS hs_crypto)
