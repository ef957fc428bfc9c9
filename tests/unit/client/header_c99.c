/* hanse.h alone, as a C99 program includes it. */
#include <hanse/hanse.h>

const char *header_c99_name(void);
const char *header_c99_name(void)
{
    return hanse_err_name(HANSE_ERR_COUPON_USED);
}
