foreach(stem request wake)
  hanse_test(discover ${stem} hs_discover)
  target_compile_definitions(test_discover_${stem} PRIVATE _GNU_SOURCE)
endforeach()
