/* The memory that opening one identity object takes: its payload is read into a struct and dropped. */
#ifndef HS_IDENTITY_SCRATCH_H
#define HS_IDENTITY_SCRATCH_H

#include "object/kinds.h"
#include "wire/unpack.h"

/* What hs_unpack_budget() gives for the largest of them. */
enum { HS_IDENTITY_SCRATCH = HS_UNPACK_FACTOR * HS_PAYLOAD_SMALL + HS_UNPACK_BASE };

#endif
