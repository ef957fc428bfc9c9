hanse_test(object kinds hs_object)
hanse_test(object hdr hs_object)
hanse_test(object object hs_object)
