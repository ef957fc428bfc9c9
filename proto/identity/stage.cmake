hanse_stage(identity SOURCES
  identity/address.c identity/auth.c identity/bind.c identity/certificate.c identity/chain.c identity/credential.c
  identity/derive.c identity/descriptor.c identity/grant.c identity/handle.c identity/learn.c identity/successor.c
  identity/ticket.c identity/ticket_text.c
  DEPENDS hs_object)
