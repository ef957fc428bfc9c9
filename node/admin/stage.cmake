# hs_admin: files, configuration, what the root key hands out. hansed: the program.
hanse_stage(admin SOURCES admin/ask.c admin/config.c admin/control.c admin/file.c admin/grid.c admin/issue.c admin/log.c admin/log_json.c
  admin/metrics.c admin/peers.c admin/site.c
  DEPENDS hs_http hs_net hs_state hs_identity hs_crypto hs_wire)
target_compile_definitions(hs_admin PRIVATE _GNU_SOURCE)
target_link_libraries(hs_admin PRIVATE PkgConfig::INIH PUBLIC PkgConfig::JANSSON)

if(TARGET hs_core)
  hanse_program(hansed SOURCES
    main.c
    admin/ask_show.c
    admin/ask_table.c
    admin/cmd.c
    admin/cmd_ask.c
    admin/cmd_backup.c
    admin/cmd_check.c
    admin/cmd_grant.c
    admin/cmd_init.c
    admin/cmd_restore.c
    admin/cmd_run.c
    admin/cmd_ticket.c
    admin/command_lists.c
    admin/command_reload.c
    admin/command_status.c
    admin/commands.c
    admin/keep.c
    admin/reload.c
    DEPENDS hs_admin hs_net hs_commit hs_export hs_lmdb hs_core)
  target_compile_definitions(hansed PRIVATE _GNU_SOURCE HANSE_VERSION="${PROJECT_VERSION}")
  install(TARGETS hansed RUNTIME)
endif()
