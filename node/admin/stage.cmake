# hs_admin: files, configuration, what the root key hands out. hansed: the program.
hanse_stage(admin SOURCES admin/ask.c admin/config.c admin/control.c admin/file.c admin/grid.c admin/issue.c admin/json.c admin/log.c admin/log_json.c
  admin/metrics.c admin/notify.c admin/peers.c admin/site.c
  DEPENDS hs_http hs_net hs_state hs_identity hs_crypto hs_wire hs_discover)
target_compile_definitions(hs_admin PRIVATE _GNU_SOURCE)
target_link_libraries(hs_admin PRIVATE PkgConfig::INIH PUBLIC PkgConfig::JANSSON)

if(TARGET hs_core)
  hanse_program(hansed SOURCES
    main.c
    admin/ask_recover.c
    admin/ask_roots.c
    admin/ask_show.c
    admin/ask_table.c
    admin/cmd.c
    admin/cmd_ask.c
    admin/cmd_backup.c
    admin/cmd_check.c
    admin/cmd_grant.c
    admin/cmd_init.c
    admin/cmd_renew.c
    admin/cmd_restore.c
    admin/cmd_run.c
    admin/cmd_ticket.c
    admin/command_lists.c
    admin/command_reload.c
    admin/command_recover.c
    admin/command_roots.c
    admin/command_status.c
    admin/commands.c
    admin/finding.c
    admin/keep.c
    admin/keep_blobs.c
    admin/reload.c
    DEPENDS hs_admin hs_net hs_commit hs_export hs_lmdb hs_core)
  target_compile_definitions(hansed PRIVATE _GNU_SOURCE HANSE_VERSION="${PROJECT_VERSION}")
  install(TARGETS hansed RUNTIME)

  # As a service: the unit, its user and its directory.
  configure_file(service/hansed.service.in ${CMAKE_CURRENT_BINARY_DIR}/hansed.service @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hansed.service DESTINATION lib/systemd/system)
  install(FILES service/hanse.sysusers.conf DESTINATION lib/sysusers.d RENAME hanse.conf)
  install(FILES service/hanse.tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME hanse.conf)
  install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME node.md)
endif()
