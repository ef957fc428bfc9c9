hanse_stage(admin SOURCES
  admin/cmd_init.c admin/cmd_run.c admin/cmd_ticket.c admin/command.c admin/config.c admin/grants.c admin/keys.c
  admin/log.c
  DEPENDS hs_net hs_core hs_lmdb hs_identity PkgConfig::INIH PkgConfig::JANSSON)
target_compile_definitions(hs_admin PRIVATE _GNU_SOURCE)

hanse_program(hansed SOURCES main.c DEPENDS hs_admin)
install(TARGETS hansed RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
target_compile_definitions(hansed PRIVATE HANSE_VERSION="${PROJECT_VERSION}")
