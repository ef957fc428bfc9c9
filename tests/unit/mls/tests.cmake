hanse_test(mls group hs_mls)
