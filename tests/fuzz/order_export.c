/* The file that a customer shows a third party. Input: choice (odd: signed anew; 2: no root is pinned), the
 * file. */
#include "fuzz/fuzz.h"

#include "deal/export.h"
#include "fuzz/cast.h"
#include "fuzz/resign.h"
#include "wire/unpack.h"

#include <string.h>

/* The numbers that people read add up, whatever the file says. */
static void check_report(const struct hs_export_report *r)
{
    int64_t subtotal = 0, discount = 0, total = 0;
    HS_ASSERT(r->line_count >= 1 && r->line_count <= HS_ORDER_LINES_MAX);
    for (size_t i = 0; i < r->line_count; i++) {
        subtotal += r->lines[i].subtotal.minor;
        discount += r->lines[i].discount.minor;
        total += r->lines[i].total.minor;
        HS_ASSERT(r->lines[i].discount.minor >= 0 && r->lines[i].total.minor >= 0);
        HS_ASSERT(r->lines[i].subtotal.minor == r->lines[i].price.minor * (int64_t)r->lines[i].quantity);
    }
    HS_ASSERT(subtotal == r->subtotal.minor && discount == r->discount.minor && total == r->total.minor);
    HS_ASSERT(r->state > HS_ORDER_NONE && r->state < HS_ORDER_STATE_COUNT);
    HS_ASSERT(r->signer_count >= 1 && r->signer_count <= HS_EXPORT_SIGNERS_MAX);
    HS_ASSERT(r->exported_at.ms + HS_CLOCK_SKEW_MS >= r->placed_at.ms);
    HS_ASSERT(memchr(r->domain, 0, sizeof r->domain) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    struct hs_arena HS_ARENA arena = hs_arena(HS_EXPORT_ARENA);
    struct hs_arena HS_ARENA scratch = hs_arena(HS_EXPORT_ARENA);
    struct hs_bytes in = hs_bytes(data, size);
    uint8_t choice = fuzz_choice(&in);
    if ((choice & 1) != 0)
        in = fuzz_resign(&hanse__signed_object__descriptor, in, &scratch);
    struct hs_export_report report;
    const struct hs_key *pinned = (choice & 2) != 0 ? NULL : &cast(CAST_ROOT)->pub;
    if (hs_export_verify(in, pinned, &arena, &report) != HS_OK)
        return 0;
    HS_ASSERT(report.root_pinned == (pinned != NULL));
    HS_ASSERT(pinned == NULL || hs_key_equal(&report.root, pinned));
    FUZZ_OK(hs_pack_check(&hanse__signed_object__descriptor, in, HS_STRICT));
    check_report(&report);
    fuzz_accepted++;
    return 0;
}
