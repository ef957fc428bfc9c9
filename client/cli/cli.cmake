hanse_program(hanse SOURCES
  cli/cmd_chat.c cli/cmd_coupon.c cli/cmd_home.c cli/cmd_init.c cli/cmd_join.c cli/cmd_offer.c cli/cmd_order.c cli/cmd_room.c
  cli/cmd_send.c cli/cmd_file.c cli/cmd_till.c cli/cmd_verify.c cli/cmd_wake.c cli/cmd_govern.c cli/cmd_evidence.c cli/find.c cli/json.c cli/loop.c cli/main.c cli/message.c
  cli/out.c cli/qr.c cli/term.c cli/ticket.c
  DEPENDS libhanse PkgConfig::JANSSON PkgConfig::QRENCODE)
target_compile_definitions(hanse PRIVATE _GNU_SOURCE)
install(TARGETS hanse RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
