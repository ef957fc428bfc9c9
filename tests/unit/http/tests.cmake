hanse_test(http http hs_http)
target_compile_definitions(test_http_http PRIVATE _GNU_SOURCE)
