hanse_stage(link SOURCES
  link/gate.c link/channel.c link/opening.c link/outbox.c link/link.c
  DEPENDS hs_noise hs_wire)
