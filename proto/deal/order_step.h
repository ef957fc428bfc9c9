/* Who may write an order's events. */
#ifndef HS_DEAL_ORDER_STEP_H
#define HS_DEAL_ORDER_STEP_H

#include "identity/grant.h"

/* An owner's grant serves for both. */
enum { HS_ORDER_EVENT_ROLES = HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL) | HS_ROLE_BIT(HANSE__ROLE__ROLE_MERCHANT) };

#endif
