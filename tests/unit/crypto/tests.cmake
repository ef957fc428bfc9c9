hanse_test(crypto selftest hs_crypto)
