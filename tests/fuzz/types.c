#include "fuzz/types.h"

#include "base/err.h"
#include "object/kinds.h"
#include "schema/deal.pb-c.h"
#include "schema/identity.pb-c.h"
#include "schema/link.pb-c.h"
#include "schema/object.pb-c.h"
#include "schema/room.pb-c.h"

/* Outermost types that are no payloads of signed objects. */
static const ProtobufCMessageDescriptor *const others[] = {
    &hanse__frame__descriptor,         &hanse__signed_object__descriptor, &hanse__policy__descriptor,
    &hanse__record_header__descriptor, &hanse__record__descriptor,        &hanse__genesis_body__descriptor,
    &hanse__invite_body__descriptor,   &hanse__join_body__descriptor,     &hanse__message_context__descriptor,
    &hanse__content__descriptor,       &hanse__credential__descriptor,    &hanse__ticket_text__descriptor,
    &hanse__chain__descriptor,         &hanse__hdr__descriptor,           &hanse__totals__descriptor,
};

enum { OTHERS = sizeof others / sizeof *others, TYPES = OTHERS + HS_KIND_COUNT - 1 };

const ProtobufCMessageDescriptor *fuzz_type(uint8_t choice)
{
    unsigned index = choice % TYPES;
    return index < OTHERS ? others[index] : hs_kind_info((enum hs_kind)(index - OTHERS + 1))->payload;
}

uint8_t fuzz_type_choice(const ProtobufCMessageDescriptor *type)
{
    for (unsigned i = 0; i < TYPES; i++)
        if (fuzz_type((uint8_t)i) == type)
            return (uint8_t)i;
    hs_assert_failed("a type of the table", __FILE__, __LINE__);
}
