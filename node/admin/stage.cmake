# hs_admin: files, configuration, what the root key hands out. hansed: the program.
hanse_stage(admin SOURCES admin/config.c admin/file.c admin/issue.c admin/log.c admin/site.c
  DEPENDS hs_net hs_identity hs_crypto)
target_compile_definitions(hs_admin PRIVATE _GNU_SOURCE)
target_link_libraries(hs_admin PRIVATE PkgConfig::INIH)

if(TARGET hs_core)
  hanse_program(hansed SOURCES
    main.c admin/cmd.c admin/cmd_grant.c admin/cmd_init.c admin/cmd_run.c admin/cmd_ticket.c
    DEPENDS hs_admin hs_net hs_commit hs_lmdb hs_core PkgConfig::JANSSON)
  target_compile_definitions(hansed PRIVATE _GNU_SOURCE HANSE_VERSION="${PROJECT_VERSION}")
  install(TARGETS hansed RUNTIME)
endif()
