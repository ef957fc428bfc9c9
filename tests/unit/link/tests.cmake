hanse_test(link channel hs_link)
hanse_test(link opening hs_link)
hanse_test(link session hs_link)
hanse_test(link records hs_link)
