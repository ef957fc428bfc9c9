include(${CMAKE_CURRENT_SOURCE_DIR}/support/vectors.cmake)
hanse_test(noise cipherstate hs_noise)
hanse_test(noise handshake hs_noise)
hanse_vector_test(noise vectors hs_noise)
